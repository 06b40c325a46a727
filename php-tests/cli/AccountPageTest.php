<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use RoutineTemplate\Tests\Documentation;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\PushSender;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;

/** The PHP code of docs/account.md does what the text around it says. */
final class AccountPageTest extends SandboxTestCase
{
    private const PAGE = 'docs/account.md';

    public function testBothLanguagesShowTheSameCode(): void
    {
        self::assertSame(Documentation::withoutComments(self::PAGE), Documentation::withoutComments('docs/account.zh-CN.md'));
        self::assertCount(8, Documentation::php(self::PAGE));
    }

    public function testTheLinesAboutTemplatesFindAddAndKeepThem(): void
    {
        [$templates, $sync] = Documentation::php(self::PAGE);
        $result = $this->printed('$openid = $shop->openid;' . $templates . $sync . '$first = $synced;' . $sync . Documentation::php(self::PAGE)[4] . '
            echo json_encode([count($rows), $library["count"] > 0, $keywords[0]["kid"], $first["ids"]["order_pay_success"] === $id,
                count($first["added"]), $synced["ids"] === $first["ids"], $synced["added"], $synced["failed"], $ids === array_values($synced["ids"])]);');

        self::assertSame('[1,true,1,true,1,true,[],[],true]', $result, $result);
    }

    public function testTheLinesAboutThePushTakeOneAndHandOnWhatIsTheShops(): void
    {
        $wechat = new PushSender($this->shop->appid);
        [, , $lines, $seam] = Documentation::php(self::PAGE);
        $lines = str_replace(
            ["'wx…'", "'secret' => '…'", "'Token'", "'EncodingAESKey'", "file_get_contents('php://input')"],
            ["'{$this->shop->appid}'", "'secret' => '{$this->shop->secret}'", "'" . PushSender::TOKEN . "'", "'" . PushSender::KEY . "'", '$body'],
            $lines
        );
        $requests = [
            $wechat->safe(PushSender::json(PushSender::popup($this->shop->openid, [$this->shop->orderPaid => 'accept']))),
            $wechat->safe(PushSender::json(['MsgType' => 'text', 'Content' => 'hi', 'FromUserName' => $this->shop->openid, 'CreateTime' => time()])),
        ];
        $result = $this->printed('
            ob_start(); // each of the requests has an answer of its own
            function shop(?string $event, array $message) { echo $message["Content"], " "; }
            foreach (' . var_export($requests, true) . ' as [$_GET, $body]) { ' . $lines . ' }
            $message = json_decode(' . var_export(PushSender::json(PushSender::popup($this->shop->openid, [$this->shop->orderPaid => 'accept'], time() - 5)), true) . ', true);
            switch ($message["Event"]) { ' . $seam . ' }
            echo " ", RoutineTemplate::grants($shop->openid, $shop->orderPaid)["accepted"];');

        self::assertSame('successhi success 2', $result);
    }

    public function testTheLinesAboutOfficialAccountsSendAllThreeKinds(): void
    {
        $this->shop = new Shop($this->sandbox, ['kind' => 'official']);
        $result = $this->printed('
            $openid = $shop->openid; $templateId = $shop->orderPaid; $data = $shop->order; $orderId = 1;
            ' . Documentation::php(self::PAGE)[5] . '
            echo json_encode([$notice["errcode"], $message["errcode"], $once["errcode"]]);');

        self::assertSame('[0,0,0]', $result);
    }

    public function testTheLinesAboutQuotasAnswerHowManyCallsThereAre(): void
    {
        [, , , , , , $quota, $cleared] = Documentation::php(self::PAGE);
        $result = $this->printed('
            $answer = RoutineTemplate::send("oNobody", $shop->orderPaid, $shop->order);
            ' . $quota . $cleared . 'echo json_encode([$cleared["errcode"], $one["errcode"], $record["errcode"], $cleared["local"]["left_this_month"]]);');

        self::assertMatchesRegularExpression('/10,000,000.*\[0,0,0,9\]$/s', $result);
    }

    private function printed(string $code): string
    {
        $result = PhpProcess::run($this->shop->script($code), [], 60.0);
        self::assertSame('', $result->errors, $result->describe());
        return $result->output;
    }
}
