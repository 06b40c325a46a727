<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use RoutineTemplate\Tests\Documentation;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\ProcessResult;
use RoutineTemplate\Tests\RunningPhp;
use RoutineTemplate\Tests\SandboxTestCase;

/** The PHP code of docs/ffi.md, with whichever face there is and with none. */
final class FfiPageTest extends SandboxTestCase
{
    private const PAGE = 'docs/ffi.md';

    public function testBothLanguagesShowTheSameCode(): void
    {
        self::assertSame(Documentation::withoutComments(self::PAGE), Documentation::withoutComments('docs/ffi.zh-CN.md'));
        self::assertCount(2, Documentation::php(self::PAGE));
    }

    public function testTheQuestionWhetherItCanBeUsedIsYesWithEitherFace(): void
    {
        $result = PhpProcess::run(Documentation::php(self::PAGE)[1] . 'var_dump($usable);');

        self::assertSame("bool(true)\n", $result->output, $result->describe());
    }

    public function testTheQuestionWhetherItCanBeUsedIsNoWithoutEither(): void
    {
        self::assertSame("bool(false)\n", $this->withoutLibrary(Documentation::php(self::PAGE)[1] . 'var_dump($usable);')->output);
    }

    public function testTheLinesThatRequireItTellWhyItCannotBeUsed(): void
    {
        [$require, $question] = Documentation::php(self::PAGE);
        $result = $this->withoutLibrary($require);
        self::assertMatchesRegularExpression('/RuntimeException: .*(FFI|libroutine_template\.so)/', $result->output . $result->errors);

        $result = $this->withoutLibrary(strtok($require, "\n") . "\n" . $question . 'var_dump($usable);');
        self::assertSame("bool(false)\n", $result->output, $result->describe());
    }

    /** PHP with the PHP side of FFI but without a library, as where something is missing. */
    private function withoutLibrary(string $code): ProcessResult
    {
        $file = dirname(__DIR__, 2) . '/ffi/RoutineTemplate.php';
        $code = str_replace('/usr/local/lib/routine-template/RoutineTemplate.php', $file, $code);
        $settings = ['-d', 'display_errors=stderr', '-d', 'routine_template.library=/nowhere/libroutine_template.so'];
        return (new RunningPhp(array_merge([PHP_BINARY, '-n'], $settings, ['-r', $code]), null, 30.0, []))->wait();
    }
}
