<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Fpm;

use RoutineTemplate;
use RoutineTemplate\Tests\FpmServer;
use RoutineTemplate\Tests\SandboxTestCase;

/** The examples for the front end: the script of a mini program, and the route that it asks and tells. */
final class FrontEndTest extends SandboxTestCase
{
    private const EXAMPLES = __DIR__ . '/../../examples';

    private ?FpmServer $server = null;

    protected function tearDown(): void
    {
        if ($this->server !== null) {
            $this->server->stop();
        }
    }

    public function testTheScriptOfAMiniProgramAsksReportsAndLosesNothing(): void
    {
        $node = $this->node();
        $this->server = new FpmServer(['grants.php' => $this->route()]);
        $environment = ['GRANTS_SOCKET' => $this->server->socket(), 'PATH' => (string) getenv('PATH')];
        $process = proc_open(
            [$node, '--test', __DIR__ . '/../js/subscribe.test.mjs'],
            [1 => ['pipe', 'w'], 2 => ['redirect', 1]],
            $pipes,
            null,
            $environment
        );
        self::assertIsResource($process);
        $output = (string) stream_get_contents($pipes[1]);

        self::assertSame(0, proc_close($process), $output . $this->server->logs());
        self::assertStringContainsString('skipped 0', $output);
        // The tap, and the click that was reported twice.
        self::assertLedger(
            ['available' => 2, 'state' => 'accept'],
            RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid)
        );
    }

    public function testTheRouteAnswersNobodyWhoIsNotLoggedIn(): void
    {
        $this->server = new FpmServer(['grants.php' => str_replace($this->shop->openid, '', $this->route())]);
        self::assertSame(401, $this->server->request('grants.php?keys=order_pay_success')[0]);
    }

    public function testWhatTheWebTagGivesIsTakenAsItIs(): void
    {
        $details = json_encode([$this->shop->orderPaid => json_encode(['status' => 'accept'])]);
        $recorded = RoutineTemplate::recordGrants($this->shop->openid, ['errMsg' => 'subscribe:ok', 'subscribeDetails' => $details]);
        self::assertSame([$this->shop->orderPaid], array_keys($recorded['recorded']));
        $page = (string) file_get_contents(self::EXAMPLES . '/wx-open-subscribe.html');
        self::assertStringContainsString('result: event.detail', $page);
    }

    /** The example, of this test's shop, with its buyer logged in. */
    private function route(): string
    {
        $code = (string) file_get_contents(self::EXAMPLES . '/grants.php');
        $changes = [
            'session_start();' => '$_SESSION = ' . var_export(['openid' => $this->shop->openid], true) . ';',
            "['appid' => 'wxc0ffee0123456789', 'secret' => '0123456789abcdef0123456789abcdef']" => var_export($this->shop->config(), true),
            '0rdErPaid0000000000000000000000000000000001' => $this->shop->orderPaid,
        ];
        foreach (array_keys($changes) as $text) {
            self::assertStringContainsString($text, $code);
        }
        return strtr($code, $changes);
    }

    private function node(): string
    {
        foreach (explode(PATH_SEPARATOR, (string) getenv('PATH')) as $directory) {
            if (is_executable("$directory/node")) {
                $version = (string) shell_exec(escapeshellarg("$directory/node") . ' --version');
                if (version_compare(ltrim(trim($version), 'v'), '18.0.0', '>=')) {
                    return "$directory/node";
                }
            }
        }
        self::markTestSkipped('There is no node of version 18 or newer.');
    }
}
