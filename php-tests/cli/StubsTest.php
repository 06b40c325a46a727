<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\Attributes\Group;
use PHPUnit\Framework\TestCase;
use RoutineTemplate\Tests\ClassDescription;
use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\Face;
use RoutineTemplate\Tests\RunningPhp;
use RoutineTemplate\Tests\TemporaryDirectory;

/**
 * The stubs, which editors and static analysis read, and the face under test say the same, each way.
 *
 * @group stubs
 */
#[Group('stubs')]
final class StubsTest extends TestCase
{
    private const STUBS = __DIR__ . '/../../stubs/routine_template.stub.php';

    public function testTheStubsDeclareTheClassesOfTheFaceAndNoOthers(): void
    {
        self::assertSame(array_keys($this->ofTheFace()['classes']), array_keys($this->ofTheStubs()['classes']));
    }

    public function testEveryClassIsDeclaredAsTheFaceHasIt(): void
    {
        $stubs = $this->ofTheStubs()['classes'];
        foreach ($this->ofTheFace()['classes'] as $name => $class) {
            self::assertSame($class, $stubs[$name], $name);
        }
    }

    public function testTheStubsDeclareTheFunctionsAndConstantsOfTheFaceAndNoOthers(): void
    {
        foreach (['functions', 'constants'] as $kind) {
            self::assertSame($this->ofTheFace()[$kind], $this->ofTheStubs()[$kind]);
        }
    }

    public function testAppHasEveryMethodOfRoutineTemplateButThoseThatBelongToNoAccount(): void
    {
        $classes = $this->ofTheFace()['classes'];
        $static = $classes['RoutineTemplate']['methods'];
        $instance = $classes['RoutineTemplate\App']['methods'];
        unset($static['app'], $static['version']);
        self::assertSame(array_keys($static), array_keys($instance));
        foreach ($instance as $name => $method) {
            self::assertSame($static[$name]['parameters'], $method['parameters'], $name);
            self::assertSame($static[$name]['returns'], $method['returns'], $name);
        }
    }

    public function testEveryMethodAndClassOfTheStubsHasADocComment(): void
    {
        $count = array_count_values(array_column(array_filter(token_get_all((string) file_get_contents(self::STUBS)), 'is_array'), 0));
        // Private constructors and plain properties need none; anything else does.
        self::assertGreaterThanOrEqual($count[T_CLASS] + $count[T_FUNCTION] - 2, $count[T_DOC_COMMENT]);
    }

    /** @return array{classes: array, functions: list<string>, constants: list<string>} */
    private function ofTheFace(): array
    {
        static $description = null;
        if ($description === null && Face::isFfi()) {
            $description = $this->declaredBy(Environment::ffi());
        } elseif ($description === null) {
            $extension = new \ReflectionExtension('routine_template');
            $description = [
                'classes' => ClassDescription::of($extension->getClassNames()),
                'functions' => array_keys($extension->getFunctions()),
                'constants' => array_keys($extension->getConstants()),
            ];
        }
        return $description;
    }

    /** The stubs are loaded where the face is not; for the FFI face, as far as the PHP of the oldest shop can express them. */
    private function ofTheStubs(): array
    {
        static $description = null;
        if ($description === null && Face::isFfi()) {
            $source = (string) file_get_contents(self::STUBS);
            $union = '[\w\\\\]+(?:\|[\w\\\\]+)+';
            $source = preg_replace(['/#\[.*?\] /', "/$union (?=\\$)/", "/\): $union(?= \{)/"], ['', '', ')'], $source);
            $directory = TemporaryDirectory::create();
            $description = $this->declaredBy($directory->write('stubs.php', $source));
            $directory->remove();
        }
        return $description ??= $this->declaredBy(self::STUBS);
    }

    /** What a file declares, but for the parts of the FFI face that no caller sees, and for what PHP 8 has itself. */
    private function declaredBy(string $file): array
    {
        $modules = [];
        foreach (Environment::modules('json', 'ffi')['extension'] ?? [] as $module) {
            array_push($modules, '-d', "extension=$module");
        }
        $description = (new RunningPhp(array_merge([PHP_BINARY, '-n'], $modules, ['-d', 'display_errors=stderr', '-r', '
            require $argv[1];
            $classes = get_declared_classes(); $functions = get_defined_functions()["user"]; $constants = get_defined_constants();
            require $argv[2];
            $ours = static function (array $names): array { return array_values(preg_grep("~^RoutineTemplate.Ffi.|^ValueError$~i", $names, PREG_GREP_INVERT)); };
            echo json_encode([
                "classes" => RoutineTemplate\Tests\ClassDescription::of($ours(array_diff(get_declared_classes(), $classes))),
                "functions" => $ours(array_diff(get_defined_functions()["user"], $functions)),
                "constants" => $ours(array_diff(array_keys(get_defined_constants()), array_keys($constants))),
            ]);', '--', __DIR__ . '/../support/ClassDescription.php', $file]), null, 20.0, []))->wait()->json();
        return Face::isFfi() ? self::asACallerSeesIt($description) : $description;
    }

    /**
     * Private members of PHP classes are how they are made, and so are magic methods, but that nobody may construct one is to be seen.
     * The types of parameters are checked behind the face, where 7.4 has no words for most of them.
     */
    private static function asACallerSeesIt(array $description): array
    {
        foreach ($description['classes'] as &$class) {
            $isSeen = static fn (array $member, string $name): bool => $name === '__construct'
                || strncmp($name, '__', 2) !== 0 && !in_array('private', $member['modifiers'] ?? $member[0], true);
            foreach (['constants', 'properties', 'methods'] as $kind) {
                $class[$kind] = array_filter($class[$kind], $isSeen, ARRAY_FILTER_USE_BOTH);
            }
            foreach ($class['methods'] as &$method) {
                foreach ($method['parameters'] as &$parameter) {
                    unset($parameter['type']);
                }
            }
        }
        return $description;
    }
}
