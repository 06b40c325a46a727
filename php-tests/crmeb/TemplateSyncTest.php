<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Crmeb;

use RoutineTemplate;
use RoutineTemplate\Crmeb\TemplateRows;
use RoutineTemplate\Crmeb\TemplateSync;
use RoutineTemplate\RefusedException;
use RoutineTemplate\Tests\CrmebTestCase;
use RoutineTemplate\Tests\Shop;
use think\facade\Db;

/** Seam S9: the button of the back office deletes nothing, and the ids land in the shop's own columns. */
final class TemplateSyncTest extends CrmebTestCase
{
    private const DELETE = '/wxaapi/newtmpl/deltemplate';
    private const ADD = '/wxaapi/newtmpl/addtemplate';

    public function testATemplateThatIsThereIsKeptWithItsIdAndItsGrants(): void
    {
        $this->createNotificationTable();

        self::assertStringContainsString('保留 1 个，新增 0 个', (string)TemplateSync::run());
        self::assertSame($this->shop->orderPaid, $this->id());
        self::assertSame([0, 0], [$this->sandbox->requests(self::DELETE), $this->sandbox->requests(self::ADD)]);
    }

    public function testAnIdThatTheShopHasLostIsFoundByItsFields(): void
    {
        $library = $this->library();
        $template = $this->shop->addTemplate($library['content'], 1, ['title' => $library['title']]);
        // CRMEB writes 1 where adding a template failed.
        $this->createNotificationTable(['routine_tempid' => '1', 'routine_tempkey' => $library['tid'], 'routine_content' => $library['content']]);
        TemplateSync::run();

        self::assertSame($template, $this->id());
    }

    public function testAMissingTemplateIsAddedAndItsIdWrittenBackWithTheKeywords(): void
    {
        $library = $this->library();
        $this->createNotificationTable(['routine_tempid' => '', 'routine_tempkey' => $library['tid'], 'routine_content' => $library['content']]);
        $words = (string)TemplateSync::run();

        self::assertStringContainsString('新增 1 个', $words);
        $templates = array_column(RoutineTemplate::app($this->shop->appid)->templates(true), 'priTmplId');
        self::assertContains($this->id(), $templates);
        self::assertSame($library['kids'], json_decode((string)Db::name('system_notification')->value('routine_kid'), true));
        self::assertSame(0, $this->sandbox->requests(self::DELETE));

        $id = $this->id();
        self::assertStringContainsString('保留 1 个，新增 0 个', (string)TemplateSync::run());
        self::assertSame($id, $this->id(), 'a second run changes nothing');
    }

    public function testTheOlderTableOfTemplatesIsKnownToo(): void
    {
        $library = $this->library();
        $template = $this->shop->addTemplate($library['content'], 1, ['title' => $library['title']]);
        $this->createTemplateTable(['tempid' => '', 'tempkey' => $library['tid'], 'content' => $library['content']]);
        TemplateSync::run();

        self::assertSame($template, Db::name('template_message')->where('id', 12)->value('tempid'));
        self::assertSame($this->official->orderPaid, Db::name('template_message')->where('id', 26)->value('tempid'), 'not a subscribe message');
    }

    public function testWhatIsSwitchedOffIsLeftAlone(): void
    {
        $this->createNotificationTable(['is_routine' => 2, 'routine_tempid' => 'off']);

        self::assertStringContainsString('保留 0 个，新增 0 个', (string)TemplateSync::run());
        self::assertSame('off', $this->id());
    }

    public function testAFailureNamesItsTemplateAndChangesNoRow(): void
    {
        $this->createNotificationTable(['routine_tempid' => '', 'routine_tempkey' => '99999999', 'routine_content' => "乙{{thing1.DATA}}\n甲{{thing2.DATA}}"]);
        $words = (string)TemplateSync::run();

        self::assertStringContainsString('支付成功给用户发送（99999999）', $words);
        self::assertSame('', $this->id(), 'never the 1 that CRMEB writes for a failure');
        self::assertCount(1, BackOffice::$log);
    }

    public function testAListThatWeChatDoesNotGiveIsAnErrorBeforeAnythingIsWritten(): void
    {
        $this->createNotificationTable(['routine_tempid' => 'before']);
        $this->sandbox->fault('/wxaapi/newtmpl/gettemplate', 'errcode', ['errcode' => 45009]);
        $error = self::thrownBy(static function (): void {
            TemplateSync::run();
        }, RefusedException::class);

        self::assertSame(45009, $error->getCode());
        self::assertSame('before', $this->id());
    }

    public function testTheShopForgetsTheIdsThatItHadCached(): void
    {
        $this->createNotificationTable();
        TemplateSync::run();

        self::assertContains('TEMP_IDS_LIST', BackOffice::$forgotten);
        self::assertContains('routine_order_pay_success', BackOffice::$forgotten);
    }

    public function testTwoNoticesOfOneMarkAreTwoRows(): void
    {
        $this->createNotificationTable();
        $this->insert('system_notification', [
            'id' => 4, 'mark' => 'order_pay_success', 'name' => '自定义', 'is_routine' => 1, 'routine_tempkey' => '1927', 'routine_kid' => '',
            'routine_content' => Shop::ORDER_PAID, 'routine_tempid' => $this->shop->orderPaid,
        ]);
        TemplateSync::run();

        self::assertSame([$this->shop->orderPaid, $this->shop->orderPaid], array_column(TemplateRows::all(), 'routine_tempid'));
    }

    private function id(): string
    {
        return (string)Db::name('system_notification')->where('id', 3)->value('routine_tempid');
    }

    /** A template of the public library: its number, two of its keywords, and the content that they give. */
    private function library(): array
    {
        $app = RoutineTemplate::app($this->shop->appid);
        $app->configure(['secret' => $this->shop->secret]);
        $template = $app->publicTemplates(array_column($app->categories(), 'id'))['data'][0];
        $tid = (string)$template['tid'];
        $keywords = array_slice($app->publicKeywords($tid), 0, 2);
        return [
            'tid' => $tid,
            'title' => $template['title'],
            'kids' => array_column($keywords, 'kid'),
            'content' => implode("\n", array_map(static function (array $keyword): string {
                return $keyword['name'] . '{{' . $keyword['key'] . '.DATA}}';
            }, $keywords)),
        ];
    }
}
