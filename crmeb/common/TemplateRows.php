<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb;

use think\db\exception\DbException;
use think\facade\Cache;
use think\facade\Db;

/**
 * 商城数据库里的订阅消息模板：5.x 在 eb_system_notification，3.2.8、4.x 在 eb_template_message。
 * The subscribe message templates in the shop's database: eb_system_notification in 5.x, eb_template_message in 3.2.8 and 4.x.
 */
final class TemplateRows
{
    private function __construct()
    {
    }

    /**
     * 全部行，列名为 5.x 的；id 为所在表的主键。
     * All rows, with the column names of 5.x; `id` is the primary key in the row's own table.
     *
     * @return list<array{id: int, name: string, mark: string, is_routine: int, routine_tempkey: string, routine_kid: string,
     *     routine_content: string, routine_tempid: string}>
     */
    public static function all(): array
    {
        if (self::areInNotification()) {
            return Db::name('system_notification')->where('routine_tempkey', '<>', '')->order('id')
                ->column('id,name,mark,is_routine,routine_tempkey,routine_kid,routine_content,routine_tempid');
        }
        // 3.2.8 keeps no keyword numbers.
        $kid = in_array('kid', Db::name('template_message')->getTableFields(), true) ? ',kid' : '';
        $rows = Db::name('template_message')->where('type', 0)->where('tempkey', '<>', '')->order('id')
            ->column('id,name,tempkey,content,tempid,status' . $kid);
        return array_map(static function (array $row): array {
            return [
                'id' => $row['id'], 'name' => $row['name'], 'mark' => '', 'is_routine' => (int)$row['status'] === 1 ? 1 : 2,
                'routine_tempkey' => $row['tempkey'], 'routine_kid' => (string)($row['kid'] ?? ''), 'routine_content' => $row['content'],
                'routine_tempid' => $row['tempid'],
            ];
        }, array_values($rows));
    }

    /**
     * 写回一行的模板 ID 与关键词。
     * Writes a row's template id and keywords back.
     *
     * @param list<int> $kids
     */
    public static function save(int $id, string $templateId, array $kids): void
    {
        $kids = $kids === [] ? [] : ['kid' => json_encode($kids)];
        if (self::areInNotification()) {
            $columns = ['routine_tempid' => $templateId];
            if ($kids !== []) {
                $columns['routine_kid'] = $kids['kid'];
            }
            Db::name('system_notification')->where('id', $id)->update($columns);
            return;
        }
        Db::name('template_message')->where('id', $id)->update(['tempid' => $templateId] + $kids);
    }

    /**
     * 清除商城缓存的模板 ID：小程序不再用旧 ID 请求授权，任务不再用旧 ID 发送。
     * Empties the shop's caches of template ids, so that the mini program asks for the new ones and jobs send them.
     */
    public static function forgetCached(): void
    {
        $names = ['TEMP_IDS_LIST', 'TEML_IDS_LIST'];
        foreach (Db::name('system_notification')->column('mark') as $mark) {
            array_push($names, 'routine_' . $mark, 'NOTCE_' . $mark, 'NOTICE_' . $mark);
        }
        foreach ($names as $name) {
            Cache::delete($name);
        }
    }

    private static function areInNotification(): bool
    {
        try {
            return in_array('routine_tempid', Db::name('system_notification')->getTableFields(), true);
        } catch (DbException $missing) {
            // 3.2.8 has no such table.
            return false;
        }
    }
}
