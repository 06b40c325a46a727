<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb\Zzff;

use RoutineTemplate\App;
use think\Db;
use think\db\Query;

/**
 * 后台「订阅消息」（表 eb_routine_template）中的模板：编号、模板 ID、内容。
 * The templates in the shop's own table, eb_routine_template: number, template id, content.
 */
final class ShopTemplates
{
    /** @var array<string, array{tempkey: string, content: string}> 模板 ID => 行 / template id => row */
    private static $rows = [];

    private function __construct()
    {
    }

    /**
     * 编号对应的模板 ID；没有开启的为 null。
     * The template id of a number; null if none is switched on.
     */
    public static function idOf(string $tempkey): ?string
    {
        $row = self::find('tempkey', $tempkey);
        return $row === null ? null : (string)$row['tempid'];
    }

    /**
     * 后台开启的全部模板 ID。
     * The ids of all templates that are switched on.
     *
     * @return list<string>
     */
    public static function ids(): array
    {
        $ids = array_map('strval', array_values(self::rows()->column('tempid')));
        return array_values(array_unique(array_diff($ids, [''])));
    }

    /**
     * 把后台填写的内容告诉扩展，缺少的字段就能在发送之前指出；返回该行，后台没有的模板得到空的一行。
     * Tells the account what the shop's table says of the template, so that missing fields are named before anything is sent.
     * Answers the row, an empty one for a template that the shop does not list.
     *
     * @return array{tempkey: string, content: string}
     */
    public static function register(App $app, string $templateId): array
    {
        if (!isset(self::$rows[$templateId])) {
            self::find('tempid', $templateId);
        }
        $row = self::$rows[$templateId] ?? ['tempkey' => '', 'content' => ''];
        if ($row['tempkey'] !== '') {
            // Typed by hand in the back office: it may be any text.
            $content = TemplateFields::of($row['content']) === [] ? null : $row['content'];
            $app->registerTemplate($row['tempkey'], $templateId, $content);
        }
        return $row;
    }

    /** @return array<string, mixed>|null */
    private static function find(string $column, string $value): ?array
    {
        $row = self::rows()->where($column, $value)->find();
        if (!$row || (string)$row['tempid'] === '') {
            return null;
        }
        self::$rows[(string)$row['tempid']] = ['tempkey' => trim((string)$row['tempkey']), 'content' => (string)$row['content']];
        return $row;
    }

    private static function rows(): Query
    {
        return Db::name('RoutineTemplate')->where('status', 1)->field('tempkey,content,tempid');
    }
}
