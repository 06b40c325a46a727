<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

use RoutineTemplate;
use RoutineTemplate\Crmeb\Account;
use RoutineTemplate\Tests\Crmeb\BackOffice;
use think\facade\Db;

require_once dirname(__DIR__) . '/crmeb/stand-ins/load.php';

/** A test of a seam: the shop's back office names a mini program and an official account of the fake WeChat. */
abstract class CrmebTestCase extends SandboxTestCase
{
    protected const TEMPLATE_SEND = '/cgi-bin/message/template/send';

    /** @var Shop */
    protected $official;

    protected function setUp(): void
    {
        parent::setUp();
        $this->official = new Shop($this->sandbox, ['kind' => 'official']);
        BackOffice::$settings = [
            'routine_appId' => $this->shop->appid, 'routine_appsecret' => $this->shop->secret,
            'wechat_appid' => $this->official->appid, 'wechat_appsecret' => $this->official->secret,
            'site_url' => 'https://shop.example.com',
        ];
        BackOffice::$log = BackOffice::$forgotten = BackOffice::$config = [];
        Db::reset();
        Account::forgetSettings();
        // As php.ini has it: no account, only where WeChat and the store are.
        RoutineTemplate::configure(['appid' => 'wxunused', 'secret' => ''] + $this->shop->config());
    }

    /** The table of CRMEB 5.x, with the order-paid notice. */
    protected function createNotificationTable(array $columns = []): void
    {
        Db::database()->exec('CREATE TABLE eb_system_notification (id INTEGER PRIMARY KEY, mark TEXT, name TEXT, is_routine INT,
            routine_tempkey TEXT, routine_kid TEXT, routine_content TEXT, routine_tempid TEXT)');
        $this->insert('system_notification', $columns + [
            'id' => 3, 'mark' => 'order_pay_success', 'name' => '支付成功给用户发送', 'is_routine' => 1, 'routine_tempkey' => '1927',
            'routine_kid' => '', 'routine_content' => Shop::ORDER_PAID, 'routine_tempid' => $this->shop->orderPaid,
        ]);
    }

    /** The two tables of CRMEB 4.7, with the order-paid notice. */
    protected function createTemplateTable(array $columns = []): void
    {
        Db::database()->exec('CREATE TABLE eb_system_notification (id INTEGER PRIMARY KEY, mark TEXT, routine_id INT, wechat_id INT)');
        Db::database()->exec('CREATE TABLE eb_template_message (id INTEGER PRIMARY KEY, type INT, tempkey TEXT, name TEXT, kid TEXT,
            content TEXT, tempid TEXT, status INT)');
        $this->insert('system_notification', ['id' => 2, 'mark' => 'order_pay_success', 'routine_id' => 12, 'wechat_id' => 26]);
        $this->insert('template_message', $columns + [
            'id' => 12, 'type' => 0, 'tempkey' => '1927', 'name' => '付款成功通知', 'kid' => '', 'content' => Shop::ORDER_PAID,
            'tempid' => $this->shop->orderPaid, 'status' => 1,
        ]);
        $this->insert('template_message', [
            'id' => 26, 'type' => 1, 'tempkey' => 'OPENTM207791277', 'name' => '付款成功通知', 'kid' => '', 'content' => '',
            'tempid' => $this->official->orderPaid, 'status' => 1,
        ]);
    }

    protected function insert(string $table, array $columns): void
    {
        $places = implode(', ', array_fill(0, count($columns), '?'));
        $names = implode(', ', array_keys($columns));
        Db::database()->prepare("INSERT INTO eb_$table ($names) VALUES ($places)")->execute(array_values($columns));
    }
}
