<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Crmeb;

use PHPUnit\Framework\TestCase;
use RoutineTemplate\Crmeb\Zzff\TemplateFields;

require_once dirname(__DIR__, 2) . '/crmeb/zzff/TemplateFields.php';

/** 知识付费: the keys that the shop's code passes, and the template that the shop has chosen. */
final class TemplateFieldsTest extends TestCase
{
    private const CONTENT = "订单编号{{character_string4.DATA}}\n金额{{amount3.DATA}}\n时间{{time2.DATA}}\n备注{{thing6.DATA}}";

    public function testTheFieldsOfAContentComeInItsOrder(): void
    {
        self::assertSame(['character_string4', 'amount3', 'time2', 'thing6'], TemplateFields::of(self::CONTENT));
        self::assertSame([], TemplateFields::of('您的订单已支付'));
    }

    public function testKeysThatTheTemplateHasStayAsTheyAre(): void
    {
        $data = ['character_string4' => 'wx1', 'amount3' => ['value' => '9.90'], 'time2' => '10:30', 'thing6' => 'x'];
        self::assertSame($data, TemplateFields::match($data, self::CONTENT));
    }

    public function testAKeyGoesIntoTheOnlyFreeFieldOfItsType(): void
    {
        $found = TemplateFields::match(['character_string1.DATA' => 'wx1', 'amount8' => '9.90', 'time2' => '10:30'], self::CONTENT);
        self::assertEquals(['character_string4' => 'wx1', 'amount3' => '9.90', 'time2' => '10:30'], $found);
    }

    public function testTwoKeysOfOneTypeAreNotGuessed(): void
    {
        $data = ['amount1' => '5.00', 'amount2' => '105.00'];
        self::assertSame($data, TemplateFields::match($data, "余额{{amount3.DATA}}\n变动{{amount4.DATA}}"));
        self::assertSame($data, TemplateFields::match($data, '变动{{amount4.DATA}}'));
    }

    public function testTheSettingsDecideBeforeAnythingElse(): void
    {
        $found = TemplateFields::match(
            ['amount1' => '5.00', 'amount2' => '105.00'],
            "余额{{amount3.DATA}}\n变动{{amount4.DATA}}",
            ['amount1' => 'amount4', 'amount2' => 'amount3']
        );
        self::assertEquals(['amount4' => '5.00', 'amount3' => '105.00'], $found);
    }

    public function testTheKeysOfOldTemplateMessagesFindTheirPlacesByOrder(): void
    {
        $found = TemplateFields::match([
            'first' => '亲，您购买的专题已支付成功', 'keyword1' => 'wx1', 'keyword2' => '9.90', 'keyword3' => '10:30', 'remark' => '点击查看订单详情',
        ], self::CONTENT);
        self::assertEquals([
            'character_string4' => 'wx1', 'amount3' => '9.90', 'time2' => '10:30', 'thing6' => '点击查看订单详情',
        ], array_diff_key($found, ['first' => '']));
    }

    public function testNoTwoKeysGoIntoOneField(): void
    {
        $found = TemplateFields::match(['amount8' => '9.90', 'keyword2' => 'not the amount'], self::CONTENT);
        self::assertEquals(['amount3' => '9.90', 'keyword2' => 'not the amount'], $found);
        $found = TemplateFields::match(['keyword2' => '9.90', 'amount8' => 'another amount'], self::CONTENT);
        self::assertEquals(['amount3' => '9.90', 'amount8' => 'another amount'], $found);
    }

    public function testWithoutAContentNothingIsRenamed(): void
    {
        self::assertSame(['keyword1' => 'x'], TemplateFields::match(['keyword1' => 'x'], ''));
    }
}
