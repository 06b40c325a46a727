<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\Attributes\DataProvider;
use RoutineTemplate;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;

/** What PHP code really passes, on purpose or not: a good answer or a clear error, never a crash. In a process of its own. */
final class PhpRealityTest extends SandboxTestCase
{
    /**
     * @dataProvider calls
     */
    #[DataProvider('calls')]
    public function testEveryValueInEveryPlaceGivesAnAnswerOrAnErrorAndNeverACrash(string $call): void
    {
        $script = $this->shop->script("require '" . dirname(__DIR__) . "/support/odd-values.php';\n" . <<<'PHP'
            RoutineTemplate::registerTemplate('known', $shop->orderPaid, $shop->content);
            $seen = [];
            foreach (odd_values() as $name => $value) {
                fwrite(STDERR, "$name\n");
                try {
                    $result = (function () use ($value, $shop) { return CALL; })();
                    $seen[$name] = gettype($result);
                    if (is_array($result) && isset($result['errcode'])) {
                        $seen[$name] .= ' ' . $result['errcode'];
                        json_encode($result, JSON_THROW_ON_ERROR);
                    }
                } catch (TypeError | ValueError | RoutineTemplate\Exception $error) {
                    $seen[$name] = get_class($error);
                    $message = $error->getMessage();
                    // One that is no text helps nobody; nor does one as long as what was passed.
                    if ($message === '' || !preg_match('//u', $message) || strlen($message) > 2000) {
                        $seen[$name] .= ' with a bad message';
                    }
                } catch (DomainException $error) {
                    $seen[$name] = 'the value itself threw';
                } catch (Error $error) {
                    // PHP 7 says so where later versions have a TypeError.
                    if (strpos($error->getMessage(), 'Wrong parameters for RoutineTemplate') !== 0) { throw $error; }
                    $seen[$name] = 'TypeError';
                }
                // Whatever was passed, the next good message goes out.
            }
            RoutineTemplate::configure($shop->config);
            $good = RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order);
            echo json_encode(['seen' => $seen, 'good' => $good['errcode'], 'stats' => RoutineTemplate::stats()]);
            PHP);
        $result = PhpProcess::run(str_replace('CALL', $call, $script), [], 120.0);

        self::assertSame(0, $result->exitCode, $result->describe());
        $report = json_decode($result->output, true);
        self::assertIsArray($report, $result->describe());
        self::assertSame(0, $report['good'], 'a good message after all the bad ones');
        self::assertGreaterThan(70, count($report['seen']));
        foreach ($report['seen'] as $name => $what) {
            self::assertStringNotContainsString('bad message', $what, $name);
        }
        // PHP's own warnings (undefined this, deprecated that) would stand here beside the names of the values.
        self::assertDoesNotMatchRegularExpression('/(Warning|Notice|Deprecated|Fatal error|panicked)/', $result->errors);
    }

    public static function calls(): array
    {
        $calls = [
            'send: openid' => 'RoutineTemplate::send($value, $shop->orderPaid, $shop->order)',
            'send: template id' => 'RoutineTemplate::send($shop->openid, $value, $shop->order)',
            'send: data' => 'RoutineTemplate::send($shop->openid, $shop->orderPaid, $value)',
            'send: data without a known template' => 'RoutineTemplate::send($shop->openid, str_repeat("u", 43), $value)',
            'send: a field' => 'RoutineTemplate::send($shop->openid, $shop->orderPaid, ["thing4" => $value] + $shop->order)',
            'send: a value' => 'RoutineTemplate::send($shop->openid, $shop->orderPaid, ["thing4" => ["value" => $value]] + $shop->order)',
            'send: an amount' => 'RoutineTemplate::send($shop->openid, $shop->orderPaid, ["amount2" => $value] + $shop->order)',
            'send: a time' => 'RoutineTemplate::send($shop->openid, $shop->orderPaid, ["time3" => $value] + $shop->order)',
            'send: page' => 'RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order, $value)',
            'send: options' => 'RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order, null, $value)',
            'sendTemplate: openid' => 'RoutineTemplate::sendTemplate($value, $shop->orderPaid, "", $shop->order)',
            'sendTemplate: template id' => 'RoutineTemplate::sendTemplate($shop->openid, $value, "", $shop->order)',
            'sendTemplate: link' => 'RoutineTemplate::sendTemplate($shop->openid, $shop->orderPaid, $value, $shop->order)',
            'sendTemplate: data' => 'RoutineTemplate::sendTemplate($shop->openid, $shop->orderPaid, "", $value)',
            'validate: template id' => 'RoutineTemplate::validate($value, $shop->order)',
            'validate: data' => 'RoutineTemplate::validate($shop->orderPaid, $value)',
            'addTemplate: tid' => 'RoutineTemplate::addTemplate($value, [1, 2], "支付")',
            'addTemplate: keywords' => 'RoutineTemplate::addTemplate(1927, [$value, 2], "支付")',
            'publicTemplates: categories' => 'RoutineTemplate::publicTemplates($value)',
            'syncTemplates: a row' => 'RoutineTemplate::syncTemplates([$value])',
            'syncTemplates: a member' => 'RoutineTemplate::syncTemplates(["PAID" => ["tid" => $value, "kid" => $value, "scene" => $value, "content" => $value]])',
            'configure: everything' => 'RoutineTemplate::configure($value)',
            'app: appid' => 'RoutineTemplate::app($value)',
            'registerTemplate: key' => 'RoutineTemplate::registerTemplate($value, $shop->orderPaid, $shop->content)',
            'registerTemplate: template id' => 'RoutineTemplate::registerTemplate("k", $value, $shop->content)',
            'registerTemplate: content' => 'RoutineTemplate::registerTemplate("k", str_repeat("k", 43), $value)',
            'templateId: key' => 'RoutineTemplate::templateId($value)',
            'accessToken: refresh' => 'RoutineTemplate::accessToken($value) !== "" ? "ok" : (function () { throw new Error("empty token"); })()',
            'recordGrants: openid' => 'RoutineTemplate::recordGrants($value, [$shop->orderPaid => "accept"])',
            'recordGrants: result' => 'RoutineTemplate::recordGrants($shop->openid, $value)',
            'recordGrants: an answer' => 'RoutineTemplate::recordGrants($shop->openid, [$shop->orderPaid => $value])',
            'recordGrants: details' => 'RoutineTemplate::recordGrants($shop->openid, ["subscribeDetails" => $value])',
            'recordGrants: options' => 'RoutineTemplate::recordGrants($shop->openid, [$shop->orderPaid => "accept"], $value)',
            'handlePush: query' => 'RoutineTemplate::configure(["push_token" => "t"]) ?? RoutineTemplate::handlePush($value, "{}")',
            'handlePush: body' => 'RoutineTemplate::configure(["push_token" => "t"]) ?? RoutineTemplate::handlePush([], $value)',
            'handlePush: a parameter' => 'RoutineTemplate::configure(["push_token" => "t"])
                ?? RoutineTemplate::handlePush(["timestamp" => $value, "nonce" => $value, "signature" => $value], "{}")',
            'recordEvent: message' => 'RoutineTemplate::recordEvent($value)',
            'recordEvent: a user' => 'RoutineTemplate::recordEvent(["Event" => "subscribe_msg_popup_event", "FromUserName" => $value])',
            'recordEvent: a list' => 'RoutineTemplate::recordEvent(["Event" => "subscribe_msg_popup_event", "FromUserName" => $shop->openid,
                "CreateTime" => time(), "List" => $value])',
            'grants: openid' => 'RoutineTemplate::grants($value)',
            'grants: template id' => 'RoutineTemplate::grants($shop->openid, $value)',
            'audience: template id' => 'RoutineTemplate::audience($value)',
            'audience: cursor' => 'RoutineTemplate::audience($shop->orderPaid, $value)',
            'audience: limit' => 'RoutineTemplate::audience($shop->orderPaid, null, $value)',
            'status: id' => 'RoutineTemplate::status($value)',
            'deliveries: filter' => 'RoutineTemplate::deliveries($value)',
            'quota: path' => 'RoutineTemplate::quota($value)',
            'clearQuota: path' => 'RoutineTemplate::clearQuota($value ?? "subscribe/send")',
            'rid: rid' => 'RoutineTemplate::rid($value)',
            'requestTemplates: openid' => 'RoutineTemplate::requestTemplates($value, [$shop->orderPaid])',
            'requestTemplates: keys' => 'RoutineTemplate::requestTemplates($shop->openid, $value)',
            'requestTemplates: one key' => 'RoutineTemplate::requestTemplates($shop->openid, [$value])',
            'requestTemplates: limit' => 'RoutineTemplate::requestTemplates($shop->openid, [$shop->orderPaid], ["limit" => $value])',
            'app->stats and app->clearQuota' => '[RoutineTemplate::app($shop->appid)->stats($value), RoutineTemplate::app($shop->appid)->clearQuota($value)]',
            'app->send: data' => 'RoutineTemplate::app($shop->appid)->send($shop->openid, $shop->orderPaid, $value)',
            'TransportException: message' => 'get_class(new RoutineTemplate\TransportException($value ?? ""))',
        ];
        foreach (['appid', 'secret', 'base_url', 'proxy', 'ca_file', 'timeout_ms', 'validate', 'token_mode', 'token', 'lang', 'allow_plain_http', 'store', 'durability', 'grants', 'retention_days', 'keep_payload', 'hash_openid', 'log_file'] as $name) {
            $calls["configure: $name"] = "RoutineTemplate::configure(['$name' => \$value])";
        }
        foreach (['key', 'long_term', 'templates'] as $name) {
            $calls["recordGrants: option $name"] = 'RoutineTemplate::recordGrants($shop->openid, [$shop->orderPaid => "accept"], ["' . $name . '" => $value])';
        }
        foreach (['openid', 'template_id', 'key', 'state', 'since', 'before', 'limit'] as $name) {
            $calls["deliveries: $name"] = 'RoutineTemplate::deliveries(["' . $name . '" => $value])';
        }
        foreach (['channel', 'state', 'lang', 'miniprogram', 'validate', 'timeout_ms', 'key', 'grants'] as $name) {
            $calls["send: option $name"] = 'RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order, null, ["' . $name . '" => $value])';
        }
        return array_map(static fn (string $call): array => [$call], $calls);
    }

    public function testReferencesInTheArrayArriveAsTheirValuesAndStayReferences(): void
    {
        $title = '云南苹果';
        $data = Shop::order();
        $data['thing4'] = &$title;
        foreach ($data as $key => &$value) {
            $value = $key === 'amount2' ? '99元' : $value;
        }
        unset($value);

        $this->assertDelivered(RoutineTemplate::send($this->shop->openid, $this->shop->orderPaid, $data));

        self::assertSame('云南苹果', self::values($this->shop->messages()[0])['thing4']);
        $title = '山东苹果';
        self::assertSame('山东苹果', $data['thing4']);
    }

    public function testAnUndefinedOffsetThatBecameNullIsNamedAsEmpty(): void
    {
        RoutineTemplate::registerTemplate('order_pay_success', $this->shop->orderPaid, Shop::ORDER_PAID);
        $order = [];
        $answer = $this->sendOrder(['amount2' => $order['pay_price'] ?? null]);
        $this->assertIsAnswer($answer);
        self::assertSame(47003, $answer['errcode']);
        self::assertSame('local', $answer['source']);
        self::assertSame('amount2', $answer['violations'][0]['field']);
    }

    public function testLargeIntegersAreExact(): void
    {
        $template = $this->shop->addTemplate("号码{{number1.DATA}}\n单号{{character_string2.DATA}}");
        $answer = RoutineTemplate::send($this->shop->openid, $template, ['number1' => PHP_INT_MAX, 'character_string2' => PHP_INT_MIN]);
        $this->assertDelivered($answer);
        self::assertSent(
            ['number1' => (string) PHP_INT_MAX, 'character_string2' => (string) PHP_INT_MIN],
            $this->shop->messages()[0]
        );
    }

    public function testAMillionCallsWithoutTheNetworkDoNotGrowTheProcess(): void
    {
        $result = PhpProcess::run($this->shop->script('
            function resident(): int { preg_match("/VmRSS:\s+(\d+)/", file_get_contents("/proc/self/status"), $m); return (int) $m[1]; }
            RoutineTemplate::registerTemplate("k", $shop->orderPaid, $shop->content);
            $round = function (int $times) use ($shop) {
                for ($i = 0; $i < $times; $i++) {
                    RoutineTemplate::validate($shop->orderPaid, ["thing4" => str_repeat("果", 30)] + $shop->order);
                    try { RoutineTemplate::configure(["nonsense" => 1]); } catch (RoutineTemplate\ConfigException $e) {}
                    RoutineTemplate::templateId("k$i");
                }
            };
            $round(20000); $before = resident(); $round(80000); echo json_encode(resident() - $before);'), [], 120.0);
        self::assertLessThan(4096, $result->json(), 'growth in kB');
    }

    public function testRegisteringWithoutEndIsBounded(): void
    {
        $result = PhpProcess::run($this->shop->script('
            for ($i = 0; $i < 200000; $i++) {
                try { RoutineTemplate::registerTemplate("k$i", str_pad("$i", 43, "x"), $shop->content); } catch (ValueError $e) { break; }
            }
            preg_match("/VmRSS:\s+(\d+)/", file_get_contents("/proc/self/status"), $m); echo json_encode((int) $m[1]);'), [], 120.0);
        self::assertLessThan(200_000, $result->json(), 'kB');
    }

    public function testItWorksInsideGeneratorsDestructorsAndShutdownFunctions(): void
    {
        $result = PhpProcess::run($this->shop->script('
            $send = fn () => RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order)["errcode"];
            $codes = [];
            foreach ((function () use ($send) { yield $send(); yield $send(); })() as $code) { $codes[] = $code; }
            $object = new class ($send, $codes) { private $send; private $codes;
                public function __construct($send, &$codes) { $this->send = $send; $this->codes = &$codes; }
                public function __destruct() { $this->codes[] = ($this->send)(); } };
            unset($object);
            register_shutdown_function(function () use ($send, &$codes) { $codes[] = $send(); echo json_encode($codes); });
            set_error_handler(function () { throw new ErrorException("handler"); });'));
        self::assertSame([0, 0, 0, 0], $result->json());
        self::assertCount(4, $this->shop->messages());
    }

    public function testItWorksInsideFibers(): void
    {
        if (PHP_VERSION_ID < 80100) {
            self::markTestSkipped('Fibers came with PHP 8.1.');
        }
        $result = PhpProcess::run($this->shop->script('
            $send = fn () => RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order)["errcode"];
            $codes = [];
            $fiber = new Fiber(function () use ($send, &$codes) { $codes[] = $send(); Fiber::suspend(); $codes[] = $send(); });
            $fiber->start(); $codes[] = $send(); $fiber->resume();
            echo json_encode($codes);'));
        self::assertSame([0, 0, 0], $result->json());
        self::assertCount(3, $this->shop->messages());
    }

    public function testAMemoryLimitThatIsReachedInsideACallEndsTheScriptAndNotTheProcessInACrash(): void
    {
        $result = PhpProcess::run(
            $this->shop->script('
                $data = []; for ($i = 0; $i < 40000; $i++) { $data["thing$i"] = str_repeat("果", 30); }
                echo json_encode(RoutineTemplate::validate($shop->orderPaid, $data) === null);'),
            ['memory_limit' => '12M'],
            60.0
        );
        self::assertNull($result->signal, $result->describe());
        self::assertFalse($result->timedOut);
    }
}
