<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\Attributes\Group;
use RoutineTemplate;
use RoutineTemplate\RefusedException;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;
use RoutineTemplate\TransportException;

/**
 * The account's templates as a shop manages them.
 *
 * @group smoke
 */
#[Group('smoke')]
final class TemplatesTest extends SandboxTestCase
{
    private const LIST = '/wxaapi/newtmpl/gettemplate';
    private const ADD = '/wxaapi/newtmpl/addtemplate';
    private const DELETE = '/wxaapi/newtmpl/deltemplate';

    public function testTheListTellsEachTemplateWithItsFields(): void
    {
        $templates = RoutineTemplate::templates();

        self::assertSame([[
            'priTmplId' => $this->shop->orderPaid,
            'title' => '测试通知',
            'content' => Shop::ORDER_PAID,
            'example' => "character_string1\namount2\ntime3\nthing4\n",
            'type' => 2,
            'keywordEnumValueList' => [],
            'fields' => ['character_string1' => '订单号', 'amount2' => '支付金额', 'time3' => '下单时间', 'thing4' => '商品名称'],
        ]], $templates);
        self::assertSame($templates, RoutineTemplate::app($this->shop->appid)->templates());
        self::assertSame(1, $this->sandbox->requests(self::LIST), 'the daily quota of gettemplate is low');
        RoutineTemplate::templates(true);
        self::assertSame(2, $this->sandbox->requests(self::LIST));
    }

    public function testAUsedUpQuotaLeavesTheListThatIsKnown(): void
    {
        $templates = RoutineTemplate::templates();
        $this->sandbox->fault(self::LIST, 'errcode', ['errcode' => 45009, 'times' => 1]);
        self::assertSame($templates, RoutineTemplate::templates(true));
    }

    public function testOnceTheListIsKnownMessagesAreCheckedAgainstIt(): void
    {
        $order = Shop::order();
        unset($order['time3']);
        RoutineTemplate::templates();

        $answer = RoutineTemplate::send($this->shop->openid, $this->shop->orderPaid, $order + ['remark' => '谢谢']);
        self::assertSame([47003, 'local', 'time3'], [$answer['errcode'], $answer['source'], $answer['violations'][0]['field']]);
        self::assertSame('time3', RoutineTemplate::validate($this->shop->orderPaid, $order)[0]['field']);
        $refused = self::thrownBy(fn () => RoutineTemplate::queue($this->shop->openid, $this->shop->orderPaid, $order), RefusedException::class);
        self::assertSame(47003, $refused->getCode());
        $many = RoutineTemplate::sendMany([['openid' => $this->shop->openid, 'template_id' => $this->shop->orderPaid, 'data' => $order]]);
        self::assertSame('local', $many[0]['source']);
        self::assertSame(0, $this->sandbox->requests(self::SEND));
    }

    public function testATemplateThatIsGoneIsRefusedHereOnceThatIsCertain(): void
    {
        RoutineTemplate::templates();
        $gone = 'gOnE' . str_repeat('0', 39);

        $first = RoutineTemplate::send($this->shop->openid, $gone, Shop::order());
        $second = RoutineTemplate::send($this->shop->openid, $gone, Shop::order());

        self::assertSame([40037, 'wechat'], [$first['errcode'], $first['source']]);
        self::assertSame([40037, 'local'], [$second['errcode'], $second['source']]);
        self::assertStringContainsString($this->shop->appid, $second['hint']);
        $this->assertIsAnswer($second);
        // A template that was added in the console since is no such case.
        $new = $this->shop->addTemplate(Shop::ORDER_PAID);
        self::assertSame(0, RoutineTemplate::send($this->shop->openid, $new, Shop::order())['errcode']);
    }

    public function testTemplatesAreFoundInTheLibraryAddedAndRemoved(): void
    {
        $page = RoutineTemplate::publicTemplates(RoutineTemplate::categories());
        $tid = array_column($page['data'], 'tid', 'title')['订单支付成功通知'];
        self::assertSame(['count', 'data'], array_keys($page));
        $keys = array_column(RoutineTemplate::publicKeywords($tid), 'key', 'kid');
        self::assertSame([1 => 'character_string1', 2 => 'amount2', 3 => 'time3', 4 => 'thing4'], $keys);

        $id = RoutineTemplate::addTemplate($tid, [1, '2'], '订单支付成功');
        self::assertSame($id, RoutineTemplate::addTemplate((string) $tid, [1, 2], '订单支付成功'), 'added once');
        $fields = array_column(RoutineTemplate::templates(), 'fields', 'priTmplId')[$id];
        self::assertSame(['character_string1' => '订单号', 'amount2' => '支付金额'], $fields);

        RoutineTemplate::deleteTemplate($id);
        self::assertNotContains($id, array_column(RoutineTemplate::templates(), 'priTmplId'));
        $refused = self::thrownBy(static fn () => RoutineTemplate::deleteTemplate($id), RefusedException::class);
        self::assertSame(200014, $refused->getCode());
    }

    public function testRefusalsFailuresAndWrongArgumentsAreToldApart(): void
    {
        $this->shop->account(['template_limit' => 1]);
        $refused = self::thrownBy(static fn () => RoutineTemplate::addTemplate(1927, [1, 2], '支付'), RefusedException::class);
        self::assertSame(200012, $refused->getCode());
        self::assertStringContainsString('上限', $refused->getMessage());

        $this->sandbox->fault(self::LIST, 'drop_before', ['times' => 9]);
        self::thrownBy(static fn () => RoutineTemplate::templates(), TransportException::class);
        $this->sandbox->clearFaults();

        foreach ([
            'tid' => static fn () => RoutineTemplate::addTemplate('', [1, 2], '支付'),
            'keywordIds' => static fn () => RoutineTemplate::addTemplate(1927, [1], '支付'),
            'scene' => static fn () => RoutineTemplate::addTemplate(1927, [1, 2], str_repeat('长', 16)),
            'templateId' => static fn () => RoutineTemplate::deleteTemplate(''),
            'limit' => static fn () => RoutineTemplate::publicTemplates(307, 0, 31),
            'categoryIds' => static fn () => RoutineTemplate::publicTemplates([]),
        ] as $parameter => $call) {
            self::assertStringContainsString("\$$parameter", self::thrownBy($call, \ValueError::class)->getMessage());
        }
        self::thrownBy(static fn () => RoutineTemplate::syncTemplates(['PAID' => 'an id']), \ValueError::class);
        self::thrownBy(static fn () => RoutineTemplate::syncTemplates([], ['dry' => true]), \ValueError::class);
    }

    public function testASyncOfCrmebsRowsKeepsIdsAndGrants(): void
    {
        $this->accept(null, 3);
        $rows = $this->notifications();
        // A first shop-wide sync adds what is missing; the shop saves the ids that it gets.
        $first = RoutineTemplate::syncTemplates($rows);
        self::assertSame(['order_pay_success' => $this->shop->orderPaid], array_intersect_key($first['ids'], ['order_pay_success' => 1]));
        self::assertSame(['order_pay_success'], $first['kept']);
        self::assertSame(['order_postage_success', 'order_refund'], $first['added']);
        self::assertSame(['kami_deliver_goods_code', 'user_extract'], $first['skipped']);
        self::assertSame([[], []], [$first['failed'], $first['left_over']]);
        foreach ($rows as &$row) {
            $row['routine_tempid'] = $first['ids'][$row['mark']] ?? $row['routine_tempid'];
        }
        unset($row);

        $second = RoutineTemplate::syncTemplates($rows);

        self::assertSame($first['ids'], $second['ids']);
        self::assertSame([], $second['added']);
        self::assertSame([2, 0], [$this->sandbox->requests(self::ADD), $this->sandbox->requests(self::DELETE)]);
        self::assertLedger(['available' => 3], RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid));
        $this->assertDelivered($this->sendOrder());
    }

    public function testADryRunSaysWhatItWouldDoAndDoesNothing(): void
    {
        $other = $this->shop->addTemplate("备注{{thing9.DATA}}\n时间{{time8.DATA}}", 0);
        $before = RoutineTemplate::templates();

        $dry = RoutineTemplate::syncTemplates($this->notifications(), ['dry_run' => true]);

        self::assertSame(['ids', 'kept', 'added', 'left_over', 'skipped', 'failed'], array_keys($dry));
        self::assertSame(['order_pay_success' => $this->shop->orderPaid], $dry['ids']);
        self::assertSame(['order_postage_success', 'order_refund'], $dry['added']);
        self::assertSame([$other], $dry['left_over']);
        self::assertSame($before, RoutineTemplate::templates(true));
        self::assertSame(0, $this->sandbox->requests(self::ADD));
    }

    public function testEachTemplateThatCannotBeAddedSaysWhy(): void
    {
        $this->sandbox->fault(self::ADD, 'errcode', ['errcode' => 200012, 'times' => 1]);

        $synced = RoutineTemplate::syncTemplates([
            'FULL' => ['tid' => 1927, 'keywords' => [1, 2], 'scene' => '支付'],
            'NEXT' => ['tid' => 1927, 'keywords' => '1,3', 'scene' => '支付'],
            'NO_KEYWORDS' => ['tid' => 1927, 'scene' => '支付'],
        ]);

        self::assertSame(['FULL', 'NO_KEYWORDS'], array_keys($synced['failed']));
        self::assertSame(['errcode', 'errmsg', 'hint'], array_keys($synced['failed']['FULL']));
        self::assertSame([200012, 200020], array_column($synced['failed'], 'errcode'));
        self::assertStringContainsString('授权失效', $synced['failed']['FULL']['hint']);
        self::assertSame(['NEXT'], $synced['added']);
    }

    public function testTheListSaysWhichAcceptsLast(): void
    {
        $lasting = $this->shop->addTemplate(Shop::ORDER_PAID, 1, ['type' => 3]);
        RoutineTemplate::templates();
        $recorded = RoutineTemplate::recordGrants($this->shop->openid, [$lasting => 'accept', $this->shop->orderPaid => 'accept']);
        self::assertTrue($recorded['recorded'][$lasting]['long_term']);
        self::assertLedger(['available' => 1, 'long_term' => false], $recorded['recorded'][$this->shop->orderPaid]);
    }

    /** @return list<array<string, mixed>> rows as CRMEB has them in eb_system_notification */
    private function notifications(): array
    {
        $row = static fn (string $mark, string $name, int $on, string $key, string $kid, string $id, string $content): array => [
            'id' => crc32($mark), 'mark' => $mark, 'name' => $name, 'title' => $name, 'is_system' => 1, 'is_routine' => $on,
            'routine_tempkey' => $key, 'routine_kid' => $kid, 'routine_tempid' => $id, 'routine_content' => $content, 'type' => 1,
        ];
        return [
            $row('order_pay_success', '支付成功', 1, '1927', '1,2,3,4', $this->shop->orderPaid, Shop::ORDER_PAID),
            $row('order_postage_success', '商家发货之后通知购买了商品的用户', 1, '1458', '1,2,3,5', 'an id of before the last sync', ''),
            $row('order_refund', '退款成功', 1, '1451', '1,2,3', '', "退款状态{{thing1.DATA}}\n商品名称{{thing2.DATA}}\n退款金额{{amount3.DATA}}"),
            $row('kami_deliver_goods_code', '卡密发货', 0, '', '', '', ''),
            $row('user_extract', '提现成功', 2, '1470', '1,2,3', '', ''),
        ];
    }
}
