<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use RoutineTemplate;
use RoutineTemplate\Tests\Face;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\SandboxTestCase;

/** The secret and the token are never shown where PHP shows things. */
final class SecretsTest extends SandboxTestCase
{
    public function testNoDumpOfAnAppShowsThem(): void
    {
        $token = RoutineTemplate::accessToken();
        $app = RoutineTemplate::app($this->shop->appid);
        ob_start();
        var_dump($app);
        print_r($app);
        var_export($app);
        $this->assertClean(ob_get_clean() . json_encode($app) . print_r((array) $app, true), $token);
    }

    public function testStatsDoNotShowThem(): void
    {
        $token = RoutineTemplate::accessToken();
        $this->assertClean(var_export(RoutineTemplate::stats(), true), $token);
    }

    public function testAnAppCanBeNeitherSerialisedNorMadeByHand(): void
    {
        $app = RoutineTemplate::app($this->shop->appid);
        try {
            serialize($app);
            self::fail('an App was serialised');
        } catch (\Exception $exception) {
            self::assertStringContainsString('RoutineTemplate\App', $exception->getMessage());
        }
        try {
            unserialize('O:19:"RoutineTemplate\App":0:{}');
            self::fail('an App was unserialised');
        } catch (\Exception $exception) {
            self::assertStringContainsString('RoutineTemplate\App', $exception->getMessage());
        }
        try {
            new RoutineTemplate\App();
            self::fail('an App was made by new');
        } catch (\Error $error) {
            self::assertNotSame('', $error->getMessage());
        }
    }

    public function testNoTransportExceptionShowsThem(): void
    {
        $token = RoutineTemplate::accessToken();
        $this->sandbox->fault(self::SEND, 'drop_after', ['times' => null]);
        try {
            $this->sendOrder();
            self::fail('nothing was thrown');
        } catch (RoutineTemplate\TransportException $exception) {
            $this->assertClean((string) $exception, $token);
        }
    }

    public function testAFailingTokenFetchDoesNotShowThem(): void
    {
        $this->sandbox->fault(self::STABLE_TOKEN, 'garbage', ['times' => null]);
        $this->sandbox->fault(self::CLASSIC_TOKEN, 'garbage', ['times' => null]);
        foreach (['stable', 'classic'] as $mode) {
            RoutineTemplate::configure(['token_mode' => $mode]);
            try {
                $this->assertClean(json_encode($this->sendOrder()));
            } catch (RoutineTemplate\Exception $exception) {
                $this->assertClean((string) $exception);
            }
        }
    }

    public function testTheTraceOfAFailingConfigureDoesNotShowTheSecret(): void
    {
        try {
            RoutineTemplate::configure(['secret' => $this->shop->secret, 'nonsense' => 1]);
            self::fail('nonsense was accepted');
        } catch (RoutineTemplate\ConfigException $exception) {
            $this->assertClean($exception->getMessage() . $exception->getTraceAsString());
        }
    }

    public function testNotEvenTheArgumentsInATraceShowTheSecret(): void
    {
        if (!Face::isFfi() && PHP_VERSION_ID < 80200) {
            self::markTestSkipped('PHP can hide an argument from traces since 8.2.');
        }
        $result = PhpProcess::run(
            'try { RoutineTemplate::configure(["secret" => "a_secret_in_a_trace", "nonsense" => 1]); }'
            . 'catch (RoutineTemplate\\ConfigException $exception) { print_r($exception->getTrace()[0]["args"]); }',
            ['zend.exception_ignore_args' => '0']
        );
        self::assertStringContainsString(Face::isFfi() ? 'Array' : 'SensitiveParameterValue', $result->output, $result->describe());
        self::assertStringNotContainsString('a_secret_in_a_trace', $result->output);
    }

    public function testPhpinfoShowsNoSecret(): void
    {
        $ini = ['secret' => $this->shop->secret, 'token' => 'external_token_that_must_not_show'];
        foreach ([PhpProcess::run('phpinfo(); echo "the end";', $ini), PhpProcess::runWith(['-i'], $ini)] as $result) {
            self::assertSame(0, $result->exitCode, $result->describe());
            if (!Face::isFfi()) {
                self::assertStringContainsString('routine_template.secret', $result->output);
            }
            self::assertStringNotContainsString($this->shop->secret, $result->output);
            self::assertStringNotContainsString('external_token_that_must_not_show', $result->output);
        }
    }

    public function testNothingIsWrittenToStandardErrorOrOutput(): void
    {
        $result = PhpProcess::run($this->shop->script('
            RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order);
            RoutineTemplate::send("o", $shop->orderPaid, $shop->order);
            try { RoutineTemplate::configure(["base_url" => "https://127.0.0.1:9"]);
                RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order); } catch (RoutineTemplate\Exception $e) {}'));
        self::assertSame(0, $result->exitCode, $result->describe());
        self::assertSame('', $result->output);
        self::assertSame('', $result->errors);
    }

    private function assertClean(string $text, string ...$tokens): void
    {
        foreach ([$this->shop->secret, ...$tokens] as $secret) {
            self::assertStringNotContainsString($secret, $text);
        }
        self::assertNotSame('', $text);
    }
}
