<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Crmeb;

use PHPUnit\Framework\TestCase;
use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\RunningPhp;

/** A patched shop on a host that has neither the extension nor FFI runs its own code at every seam. */
final class FallbackTest extends TestCase
{
    public function testEverySeamLeavesTheWorkToTheShop(): void
    {
        $seen = $this->withoutRoutineTemplate('
            $container = new Pimple\Container();
            $container["config"] = ["app_id" => "wx2", "secret" => "s", "mini_program" => ["app_id" => "wx1", "secret" => "s"]];
            $container["cache"] = new Doctrine\Common\Cache\FilesystemCache("");
            $container["access_token"] = "EasyWeChat";
            SharedAccessToken::install($container);
            $cache = new SharedTokenCache();
            $cache->save("easywechat.common.access_token.wx2", "its own", 60);
            PushEvents::record(["MsgType" => "event", "Event" => "subscribe_msg_popup_event"]);
            PushEvents::recordOfficial([]);
            $seen = [
                "usable" => Availability::isUsable(),
                "send" => SubscribeMessage::isReady(),
                "official" => TemplateMessage::isReady(),
                "queue" => Outbox::queue("subscribe", "openid", "template", ["thing1" => "x"], "/pages/a?order_id=1", "order_pay_success"),
                "by mark" => Outbox::queueByMark("subscribe", "openid", "order_pay_success", []),
                "by code" => Outbox::queueByCode("wechat", "openid", "ORDER_PAY_SUCCESS", []),
                "sync" => TemplateSync::run(),
                "report" => (new GrantReport())->record(new think\Request(7, ["result" => ["x" => "accept"]]))->data["status"],
                "push" => (new PushEvents())->serve(new think\Request())->code,
                "mini program token" => $container["mini_program.access_token"]->getToken(),
                "official token" => $container["access_token"]->getToken(true),
                "cache" => $cache->fetch("easywechat.common.access_token.wx2"),
                "log" => RoutineTemplate\Tests\Crmeb\BackOffice::$log,
            ];
        ');

        self::assertSame([
            'usable' => false,
            'send' => false,
            'official' => false,
            'queue' => false,
            'by mark' => false,
            'by code' => false,
            'sync' => null,
            'report' => 200,
            'push' => 503,
            'mini program token' => 'fetched by EasyWeChat for easywechat.common.mini.program.access_token.wx1',
            'official token' => 'fetched by EasyWeChat for easywechat.common.access_token.wx2, by force',
            'cache' => 'its own',
            'log' => [],
        ], $seen);
    }

    public function testAnFfiThatCannotWorkLeavesTheWorkToTheShopAndSaysWhyInItsLog(): void
    {
        $seen = $this->withoutRoutineTemplate('
            eval(\'namespace { final class RoutineTemplate {} }
                namespace RoutineTemplate\Ffi { final class Library { static function problem(): ?string { return "ffi.enable=false"; } } }\');
            $seen = [SubscribeMessage::isReady(), RoutineTemplate\Tests\Crmeb\BackOffice::$log];
        ');

        self::assertFalse($seen[0]);
        self::assertCount(1, $seen[1]);
        self::assertStringContainsString('ffi.enable=false', $seen[1][0]);
    }

    public function testAnInstallationThatPhpMayNotReadIsNamedInTheShopsLog(): void
    {
        $seen = $this->withoutRoutineTemplate(
            '$seen = [SubscribeMessage::isReady(), TemplateMessage::isReady(), RoutineTemplate\Tests\Crmeb\BackOffice::$log];',
            ['-d', 'routine_template.library=/nowhere/libroutine_template.so', '-d', 'open_basedir=' . dirname(__DIR__, 2)]
        );

        self::assertSame([false, false], [$seen[0], $seen[1]]);
        self::assertCount(1, $seen[2]);
        self::assertStringContainsString('open_basedir', $seen[2][0]);
        self::assertStringContainsString('/nowhere', $seen[2][0]);
    }

    public function testFilesThatDoNotFitTogetherLeaveTheWorkToTheShop(): void
    {
        $seen = $this->withoutRoutineTemplate('
            eval(\'namespace { final class RoutineTemplate {} }
                namespace RoutineTemplate\Ffi { final class Library { static function problem(): ?string { return \NoSuchClass::text(); } } }\');
            $seen = [SubscribeMessage::isReady(), RoutineTemplate\Tests\Crmeb\BackOffice::$log];
        ');

        self::assertFalse($seen[0]);
        self::assertCount(1, $seen[1]);
        self::assertStringContainsString('NoSuchClass', $seen[1][0]);
    }

    /**
     * @param list<string> $settings
     * @return mixed `$seen`, as the script leaves it
     */
    private function withoutRoutineTemplate(string $script, array $settings = [])
    {
        $load = var_export(__DIR__ . '/stand-ins/load.php', true);
        $uses = '';
        foreach (glob(dirname(__DIR__, 2) . '/crmeb/common/*.php') as $file) {
            $uses .= 'use RoutineTemplate\Crmeb\\' . basename($file, '.php') . ';';
        }
        $command = [PHP_BINARY, '-n', '-d', 'display_errors=stderr', '-d', 'error_reporting=-1'];
        $command = array_merge($command, $settings);
        // PHP 7.4 of Debian has it as a module of its own.
        foreach (Environment::modules('json')['extension'] ?? [] as $module) {
            array_push($command, '-d', "extension=$module");
        }
        array_push(
            $command,
            '-r',
            "$uses require $load; RoutineTemplate\\Tests\\Crmeb\\BackOffice::\$settings = ['routine_appId' => 'wx1', 'wechat_appid' => 'wx2'];"
            . "$script echo serialize(\$seen);"
        );
        $result = (new RunningPhp($command, null, 60.0, []))->wait();
        self::assertSame(['', 0], [$result->errors, $result->exitCode], $result->describe());
        return unserialize($result->output);
    }
}
