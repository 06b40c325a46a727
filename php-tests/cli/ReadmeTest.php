<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use RoutineTemplate;
use RoutineTemplate\Tests\Documentation;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\SandboxTestCase;

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

    public function testTheLineForPhp74GivesTheClassesAndDoesNothingWhereTheyAreThere(): void
    {
        $line = str_replace('/usr/local/lib/routine-template', dirname(__DIR__, 2) . '/ffi', Documentation::php('README.md')[5]);

        self::assertSame(RoutineTemplate::version(), PhpProcess::run($line . 'echo RoutineTemplate::version();')->output);
    }
}
