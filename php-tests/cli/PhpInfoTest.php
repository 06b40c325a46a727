<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\TestCase;
use RoutineTemplate;
use RoutineTemplate\Tests\Face;
use RoutineTemplate\Tests\PhpProcess;

/** What phpinfo() and `php --ri routine_template` say. */
final class PhpInfoTest extends TestCase
{
    protected function setUp(): void
    {
        Face::onlyExtension('PHP shows what its modules say of themselves, and FFI brings no module.');
    }

    public function testRiShowsTheVersionAndEverySetting(): void
    {
        $result = PhpProcess::runWith(['--ri', 'routine_template'], ['appid' => 'wx1234567890abcdef', 'timeout_ms' => 2345]);

        self::assertSame(0, $result->exitCode, $result->describe());
        self::assertStringContainsString(RoutineTemplate::version(), $result->output);
        self::assertStringContainsString('wx1234567890abcdef', $result->output);
        self::assertStringContainsString('2345', $result->output);
        foreach (array_keys(ini_get_all('routine_template', false)) as $name) {
            self::assertStringContainsString($name, $result->output);
        }
    }

    public function testTheSecretIsMaskedButItIsSaidThatThereIsOne(): void
    {
        $with = PhpProcess::runWith(['--ri', 'routine_template'], ['secret' => 'feedfacefeedfacefeedfacefeedface'])->output;
        $without = PhpProcess::runWith(['--ri', 'routine_template'])->output;

        self::assertStringNotContainsString('feedface', $with);
        self::assertNotSame($without, $with, 'whether a secret is set can be seen');
    }

    public function testTheSettingsThatTheDesignPromisesExist(): void
    {
        $settings = array_keys(ini_get_all('routine_template', false));
        $promised = [
            'appid', 'secret', 'base_url', 'fallback_urls', 'ca_file', 'proxy', 'connect_timeout_ms', 'timeout_ms', 'validate',
            'token_mode', 'token', 'state', 'lang', 'hint_lang', 'allow_plain_http', 'store', 'durability', 'grants', 'retention_days',
            'keep_payload', 'hash_openid', 'log_file',
        ];
        self::assertSame([], array_diff(array_map(static fn ($name) => "routine_template.$name", $promised), $settings));
        foreach (ini_get_all('routine_template') as $name => $setting) {
            self::assertSame(INI_SYSTEM, $setting['access'], $name);
        }
    }

    public function testTheStoresPasswordIsMasked(): void
    {
        $result = PhpProcess::runWith(['--ri', 'routine_template'], ['store' => 'redis://:hunter2@cache.test:6379/1']);
        self::assertSame(0, $result->exitCode, $result->describe());
        self::assertStringNotContainsString('hunter2', $result->output);
    }

    public function testLoadingTheExtensionOpensNothing(): void
    {
        $code = 'echo json_encode([
            "threads" => count(scandir("/proc/self/task")) - 2,
            "sockets" => count(array_filter(array_map(fn ($fd) => (string) @readlink("/proc/self/fd/$fd"), scandir("/proc/self/fd")),
                fn ($target) => strpos($target, "socket:") === 0)),
        ]);';
        self::assertSame(['threads' => 1, 'sockets' => 0], PhpProcess::run($code)->json());
    }

    public function testTheExtensionSurvivesASecondStartOfTheModuleList(): void
    {
        $result = PhpProcess::runWith(['-m']);
        self::assertSame(0, $result->exitCode);
        self::assertStringContainsString("\nroutine_template\n", $result->output);
        self::assertSame('', $result->errors);
    }
}
