<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\Attributes\Group;
use PHPUnit\Framework\TestCase;
use RoutineTemplate\Tests\ClassDescription;
use RoutineTemplate\Tests\RunningPhp;

/**
 * The stubs, which editors and static analysis read, and the loaded extension say the same, each way.
 *
 * @group stubs
 */
#[Group('stubs')]
final class StubsTest extends TestCase
{
    private const STUBS = __DIR__ . '/../../stubs/routine_template.stub.php';

    public function testTheStubsDeclareTheClassesOfTheExtensionAndNoOthers(): void
    {
        self::assertSame(array_keys($this->ofTheExtension()), array_keys($this->ofTheStubs()['classes']));
    }

    public function testEveryClassIsDeclaredAsTheExtensionHasIt(): void
    {
        $stubs = $this->ofTheStubs()['classes'];
        foreach ($this->ofTheExtension() as $name => $class) {
            self::assertSame($class, $stubs[$name], $name);
        }
    }

    public function testTheStubsDeclareTheFunctionsAndConstantsOfTheExtensionAndNoOthers(): void
    {
        $extension = new \ReflectionExtension('routine_template');
        self::assertSame(array_keys($extension->getFunctions()), $this->ofTheStubs()['functions']);
        self::assertSame(array_keys($extension->getConstants()), $this->ofTheStubs()['constants']);
    }

    public function testAppHasEveryMethodOfRoutineTemplateButThoseThatBelongToNoAccount(): void
    {
        $classes = $this->ofTheExtension();
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
        $tokens = \PhpToken::tokenize((string) file_get_contents(self::STUBS));
        $documented = $declared = 0;
        foreach ($tokens as $token) {
            $documented += $token->is(T_DOC_COMMENT) ? 1 : 0;
            $declared += $token->is([T_CLASS, T_FUNCTION]) ? 1 : 0;
        }
        // Private constructors and plain properties need none; anything else does.
        self::assertGreaterThanOrEqual($declared - 2, $documented);
    }

    private function ofTheExtension(): array
    {
        return ClassDescription::of((new \ReflectionExtension('routine_template'))->getClassNames());
    }

    /** The stubs are loaded where the extension is not. */
    private function ofTheStubs(): array
    {
        static $description = null;
        return $description ??= (new RunningPhp([PHP_BINARY, '-n', '-d', 'display_errors=stderr', '-r', '
            require $argv[1];
            $classes = get_declared_classes(); $functions = get_defined_functions()["user"]; $constants = get_defined_constants();
            require $argv[2];
            echo json_encode([
                "classes" => RoutineTemplate\Tests\ClassDescription::of(array_values(array_diff(get_declared_classes(), $classes))),
                "functions" => array_values(array_diff(get_defined_functions()["user"], $functions)),
                "constants" => array_values(array_diff(array_keys(get_defined_constants()), array_keys($constants))),
            ]);', '--', __DIR__ . '/../support/ClassDescription.php', self::STUBS], null, 20.0, []))->wait()->json();
    }
}
