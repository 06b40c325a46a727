<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use RoutineTemplate\Tests\Documentation;
use RoutineTemplate\Tests\Face;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\ProcessResult;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;

/** The PHP code of the READMEs does what the text around it says. */
final class ReadmeTest extends SandboxTestCase
{
    public function testBothReadmesShowTheSameCode(): void
    {
        self::assertSame(Documentation::withoutComments('README.md'), Documentation::withoutComments('README.zh-CN.md'));
        self::assertCount(6, Documentation::php('README.md'));
    }

    public function testTheTenLinesSendTheOrder(): void
    {
        [$tenLines] = Documentation::php('README.md');
        $tenLines = str_replace("['appid' => 'wx…', 'secret' => '…']", '$shop->config', $tenLines);
        $result = PhpProcess::run($this->shop->script('
            final class Log { public static function warning(string $text): void { echo $text; } }
            $openid = $shop->openid; $templateId = $shop->orderPaid; $routineContent = $shop->content;
            $order = ["order_id" => 10086, "pay_price" => "128.50", "pay_time" => 1795226400, "goods_name" => str_repeat("苹果", 30)];
            ' . $tenLines));

        self::assertSame('', $result->output . $result->errors);
        [$message] = $this->shop->messages();
        self::assertSame(str_repeat('苹果', 10), self::values($message)['thing4']);
        self::assertSame('pages/order_details/index?order_id=10086', $message['page']);
    }

    public function testTheLinesAboutManyMessagesSaveEveryAnswer(): void
    {
        $result = PhpProcess::run($this->shop->script('
            $rows = static fn () => [9 => [$shop->openid, $shop->orderPaid, $shop->order], 7 => ["openid" => "", "template_id" => "t", "data" => []]];
            function save(int $key, array $answer) { global $saved; $saved[$key] = $answer["errcode"]; }
            ' . Documentation::php('README.md')[1] . '
            ksort($saved);
            echo json_encode([$saved, $summary["total"], $summary["delivered"]]);'));

        self::assertSame('[{"7":40003,"9":0},2,1]', $result->output, $result->describe());
    }

    public function testTheLinesAboutGrantsCountAClickOnceAndFindTheOrder(): void
    {
        $lines = Documentation::php('README.md')[2];
        $result = PhpProcess::run($this->shop->script('
            RoutineTemplate::registerTemplate("ORDER_PAY_SUCCESS", $shop->orderPaid, $shop->content);
            $openid = $shop->openid; $templateId = $shop->orderPaid; $data = $shop->order; $orderId = 10086;
            $_POST = ["click_id" => "c1", "result" => [$shop->orderPaid => "accept", "errMsg" => "requestSubscribeMessage:ok"]];
            ' . $lines . $lines . '
            echo json_encode([$report["duplicate"], $answer["duplicate"], count($history), $history[0]["state"],
                RoutineTemplate::grants($openid, $templateId)["accepted"]]);'));

        self::assertSame('[true,true,1,"delivered",1]', $result->output, $result->describe());
        self::assertCount(1, $this->shop->messages());
    }

    public function testTheLinesAboutTheQueueQueueTheOrderOnce(): void
    {
        $lines = Documentation::php('README.md')[3];
        $result = PhpProcess::run($this->shop->script('
            RoutineTemplate::registerTemplate("ORDER_PAY_SUCCESS", $shop->orderPaid, $shop->content);
            $openid = $shop->openid; $data = $shop->order; $orderId = 10086;
            ' . $lines . '$first = $id;' . $lines . '
            $left = RoutineTemplate::flush(60000);
            echo json_encode([$id === $first, in_array($state, ["queued", "sending", "delivered"]), $left, RoutineTemplate::status($id)["state"]]);'), [], 90.0);

        self::assertSame('[true,true,0,"delivered"]', $result->output, $result->describe());
        [$message] = $this->shop->messages();
        self::assertSame('pages/order_details/index?order_id=10086', $message['page']);
    }

    public function testTheLinesAboutTheAccountTellWhatToAskForAndHowManyCallsAreLeft(): void
    {
        $result = PhpProcess::run($this->shop->script('
            $openid = $shop->openid; $_GET = [];
            RoutineTemplate::configure(["push_token" => "AAAAA"]);
            ' . str_replace("file_get_contents('php://input')", '\'\'', Documentation::php('README.md')[4]) . '
            echo json_encode([$ids === array_values($synced["ids"]), $push["kind"]]);'));

        self::assertStringEndsWith('[true,"refused"]', $result->output, $result->describe());
        self::assertStringContainsString('10,000,000', $result->output);
    }

    public function testTheSeamOfCrmebKeepsItsContract(): void
    {
        $result = $this->throughTheSeam('
            $answer = Mini::sendSubscribeTemlate($shop->openid, $shop->orderPaid, $shop->order, null);
            echo get_class($answer), " ", $answer["errcode"], " ", $answer->all()["msgid"] > 2 ** 53 ? "msgid" : "", "\n";
            try { Mini::sendSubscribeTemlate("oNobody", $shop->orderPaid, $shop->order); }
            catch (EasyWeChat\Core\Exceptions\HttpException $e) { echo $e->getCode(), " ", strlen($e->getMessage()) > 40 ? "with a hint" : "", "\n"; }');

        self::assertSame("EasyWeChat\\Support\\Collection 0 msgid\n40003 with a hint\n", $result->output, $result->describe());
    }

    public function testTheQueueOfCrmebSendsAMessageAgainOnlyIfItCannotHaveArrived(): void
    {
        // As CRMEB's Subscribe::send and BaseJobs: an exception is a falsy result, and a falsy result is tried three times.
        $job = '
            $send = function () use ($shop) {
                try { return Mini::sendSubscribeTemlate($shop->openid, $shop->orderPaid, $shop->order); } catch (Throwable $e) { return false; }
            };
            for ($try = 1; $try <= 3 && !$send(); $try++); echo $try;';

        $this->sandbox->fault(self::SEND, 'drop_after', ['times' => 1]);
        self::assertSame('1', $this->throughTheSeam($job)->output);
        self::assertCount(1, $this->shop->messages());

        $this->sandbox->clearFaults();
        // Another shop, of which no process has a token.
        $this->shop = new Shop($this->sandbox);
        // A token request is repeated once by itself.
        $this->sandbox->fault(self::STABLE_TOKEN, 'drop_after', ['times' => 2]);
        self::assertSame('2', $this->throughTheSeam($job)->output);
        self::assertCount(1, $this->shop->messages());
    }

    private function throughTheSeam(string $code): ProcessResult
    {
        $seam = Documentation::php('README.md')[5];
        if (Face::isFfi()) {
            $seam = str_replace("!extension_loaded('routine_template')", '!class_exists(\RoutineTemplate::class)', $seam);
        }
        return PhpProcess::run($this->shop->script('
            eval("namespace EasyWeChat\\\\Core\\\\Exceptions; class HttpException extends \\\\Exception {}");
            eval("namespace EasyWeChat\\\\Support; class Collection extends \\\\ArrayObject { public function all() { return \\$this->getArrayCopy(); } }");
            eval("namespace think\\\\facade; class Log { public static function error(string \\$text) {} }");
            final class Mini {
                public static array $config;
                private static function options(): array { return ["mini_program" => self::$config]; }
                ' . $seam . '
            }
            Mini::$config = ["app_id" => $shop->config["appid"], "secret" => $shop->config["secret"]];
            ' . $code));
    }
}
