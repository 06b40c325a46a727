<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb;

use think\facade\Config;
use think\facade\Db;

/**
 * CRMEB 3.2.8、4.x 的模板 ID：由通知标识或模板代码查得，与商城自己的查法相同。
 * Template ids of CRMEB 3.2.8 and 4.x, found by the mark of a notice or by the code of a template, as the shop itself finds them.
 */
final class TemplateId
{
    private function __construct()
    {
    }

    /**
     * 4.6、4.7：eb_system_notification.routine_id（wechat_id）指向 eb_template_message。
     * 4.6 and 4.7: routine_id (wechat_id) of eb_system_notification is a row of eb_template_message.
     *
     * @return string 没有则为空 / empty if there is none
     */
    public static function ofMark(string $type, string $mark): string
    {
        $column = $type === 'wechat' ? 'wechat_id' : 'routine_id';
        $row = Db::name('system_notification')->where('mark', $mark)->value($column);
        if (!$row) {
            return '';
        }
        return (string)Db::name('template_message')->where('id', $row)->where('type', self::type($type))->value('tempid');
    }

    /**
     * 3.2.8、4.4：config/template.php 里的代码是 eb_template_message.tempkey。
     * 3.2.8 and 4.4: the codes of config/template.php are eb_template_message.tempkey.
     *
     * @return string 没有则为空 / empty if there is none
     */
    public static function ofCode(string $type, string $code): string
    {
        $key = Config::get('template.stores.' . $type . '.template_id.' . $code);
        if (!is_scalar($key) || (string)$key === '') {
            return '';
        }
        $rows = Db::name('template_message')->where('type', self::type($type))->where('status', 1);
        return (string)$rows->where('tempkey', (string)$key)->value('tempid');
    }

    /** eb_template_message.type：0 订阅消息，1 公众号模板消息 / 0 mini program, 1 official account */
    private static function type(string $type): int
    {
        return $type === 'wechat' ? 1 : 0;
    }
}
