<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use RoutineTemplate\Tests\Documentation;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\SandboxTestCase;

/** The PHP code of docs/troubleshooting.md shows what the text around it says. */
final class TroubleshootingPageTest extends SandboxTestCase
{
    private const PAGE = 'docs/troubleshooting.md';

    public function testBothLanguagesShowTheSameCode(): void
    {
        self::assertSame(Documentation::withoutComments(self::PAGE), Documentation::withoutComments('docs/troubleshooting.zh-CN.md'));
        self::assertCount(5, Documentation::php(self::PAGE));
    }

    public function testTheLinesAboutAMessageShowItsStateAndWeChatsWords(): void
    {
        $output = $this->printedBy('
            $openid = "oNobody";
            RoutineTemplate::send($openid, $shop->orderPaid, $shop->order);
            ' . Documentation::php(self::PAGE)[0]);

        self::assertMatchesRegularExpression('/^\d\d-\d\d \d\d:\d\d:\d\d refused 40003 invalid openid.*\n$/', $output);
    }

    public function testTheLinesAboutGrantsTellWhatIsLeftAndWhatToAskFor(): void
    {
        $this->shop->grant($this->shop->orderPaid, 1, null, 'reject');
        $output = $this->printedBy('
            $openid = $shop->openid; $templateId = $shop->orderPaid;
            RoutineTemplate::recordGrants($openid, [$templateId => "accept"]);
            $errcode = RoutineTemplate::send($openid, $templateId, $shop->order)["errcode"];
            ' . Documentation::php(self::PAGE)[1] . '
            echo json_encode([$errcode, $row["available"], $row["certain"], $ids === [$templateId]]);');

        self::assertSame('[43101,0,true,true]', $output);
    }

    public function testTheLinesAboutContentNameTheFields(): void
    {
        $output = $this->printedBy('
            $templateId = $shop->orderPaid; $routineContent = $shop->content;
            $data = ["character_string1" => "订单一号", "amount2" => "100万元", "thing4" => str_repeat("苹果", 30)];
            ' . Documentation::php(self::PAGE)[2]);

        self::assertSame(4, substr_count($output, "\n"), $output);
        foreach (['character_string1：', 'amount2：', 'time3：', 'thing4：'] as $field) {
            self::assertStringContainsString($field, $output);
        }
    }

    public function testTheLinesAboutTheStoreTellWhatIsWrongWithIt(): void
    {
        self::assertMatchesRegularExpression('~^sqlite:/\S+ up \n$~', $this->printedBy('RoutineTemplate::grants("o"); ' . Documentation::php(self::PAGE)[3]));
        self::assertMatchesRegularExpression('~^(sqlite:)?/proc/nowhere\S* down \S~', $this->printedBy('
            RoutineTemplate::configure(["store" => "/proc/nowhere"]);
            RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order);
            ' . Documentation::php(self::PAGE)[3]));
    }

    public function testTheLinesAboutLateMessagesTellWhenOneWasQueuedAndSent(): void
    {
        $output = $this->printedBy('
            $before = floor(microtime(true) * 1000) / 1000;
            $id = RoutineTemplate::queue($shop->openid, $shop->orderPaid, $shop->order);
            $after = microtime(true);
            RoutineTemplate::flush(60000);
            ' . Documentation::php(self::PAGE)[4] . '
            echo json_encode([$before <= $queued, $queued <= $after, $queued <= $row["begun"]]);');

        self::assertMatchesRegularExpression('/^\d\d:\d\d:\d\d \d\d:\d\d:\d\d 1 delivered\n\[true,true,true\]$/', $output);
    }

    private function printedBy(string $code): string
    {
        $result = PhpProcess::run($this->shop->script($code), [], 60.0);
        self::assertSame('', $result->errors, $result->describe());
        return $result->output;
    }
}
