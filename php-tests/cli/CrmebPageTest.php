<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use RoutineTemplate\Tests\Documentation;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\RunningPhp;
use RoutineTemplate\Tests\SandboxTestCase;

/** The PHP code and the php.ini lines of docs/crmeb.md. */
final class CrmebPageTest extends SandboxTestCase
{
    private const PAGE = 'docs/crmeb.md';

    public function testBothLanguagesShowTheSameCodeAndSettings(): void
    {
        self::assertSame(Documentation::withoutComments(self::PAGE), Documentation::withoutComments('docs/crmeb.zh-CN.md'));
        self::assertCount(2, Documentation::php(self::PAGE));
        self::assertSame(self::settings(self::PAGE), self::settings('docs/crmeb.zh-CN.md'));
        self::assertSame('/var/lib/routine-template', self::settings(self::PAGE)['routine_template.store']);
    }

    public function testTheLinesAboutTheLastMessagesShowWhatBecameOfThem(): void
    {
        $result = PhpProcess::run($this->shop->script('
            $appid = $shop->appid;
            RoutineTemplate::send($shop->openid, $shop->orderPaid, ["thing4" => str_repeat("苹果", 30)] + $shop->order);
            RoutineTemplate::send("oNobody", $shop->orderPaid, $shop->order);
            ' . Documentation::php(self::PAGE)[0]), [], 60.0);

        self::assertSame('', $result->errors, $result->describe());
        $lines = explode("\n", $result->output);
        self::assertStringStartsWith('refused 40003 invalid openid', $lines[0]);
        self::assertStringStartsWith('delivered 0 ok [{"field":"thing4"', $lines[1]);
        self::assertSame('up', json_decode($lines[2], true)['store_state']);
    }

    public function testTheLinesForTheBrowserTellWhyFfiCannotBeUsed(): void
    {
        $lines = Documentation::php(self::PAGE)[1];
        $installed = '/usr/local/lib/routine-template/RoutineTemplate.php';
        $run = static function (string $code): string {
            $settings = ['-d', 'display_errors=stderr', '-d', 'routine_template.library=/nowhere/libroutine_template.so'];
            $result = (new RunningPhp(array_merge([PHP_BINARY, '-n'], $settings, ['-r', $code]), null, 30.0, []))->wait();
            self::assertSame('', $result->errors, $result->describe());
            return $result->output;
        };

        self::assertSame("没有找到\n", $run(str_replace($installed, '/nowhere/RoutineTemplate.php', $lines)));
        $lines = str_replace($installed, dirname(__DIR__, 2) . '/ffi/RoutineTemplate.php', $lines);
        self::assertMatchesRegularExpression('/FFI|libroutine_template\.so/', $run($lines));
    }

    /** @return array<string, string> what the block of php.ini sets */
    private static function settings(string $page): array
    {
        preg_match('/^```ini\n(.*?)^```/ms', (string) file_get_contents(dirname(__DIR__, 2) . '/' . $page), $block);
        return parse_ini_string($block[1], false, INI_SCANNER_RAW);
    }
}
