<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb;

use RoutineTemplate\App;
use RoutineTemplate\RefusedException;
use RoutineTemplate\TransportException;

/**
 * 后台“同步订阅消息”（改动点 S9）：已有的模板保留，缺少的添加，从不删除，用户已给的授权因此不会作废。
 * The back office's button that synchronises templates (seam S9): what is there is kept, what is missing is added, and nothing is
 * ever deleted, so that the grants of the users stay worth something.
 */
final class TemplateSync
{
    private function __construct()
    {
    }

    /**
     * 同步并把模板 ID 写回商城的表。
     * Synchronises, and writes the template ids back into the shop's table.
     *
     * @return string|null 给管理员看的结果；null 表示请执行商城原来的代码 / what to tell the administrator; null: run the shop's own code
     *
     * @throws RefusedException 微信拒绝给出模板列表 / WeChat refused the list of templates
     * @throws TransportException 微信没有回答 / no answer
     */
    public static function run(): ?string
    {
        $app = Account::miniProgram();
        if ($app === null) {
            return null;
        }
        $wanted = [];
        foreach (TemplateRows::all() as $row) {
            [$row['kids'], $row['problem']] = self::kids($app, $row);
            $wanted[(string)$row['id']] = $row;
        }
        // By id: the marks of custom notices are the administrator's own words, and may repeat.
        $report = $app->syncTemplates(array_map(static function (array $row): array {
            return ['is_routine' => (int)$row['is_routine'], 'tid' => $row['routine_tempkey'], 'keywords' => $row['kids'],
                'name' => $row['name'], 'content' => $row['routine_content'], 'template_id' => $row['routine_tempid']];
        }, self::named($wanted)));
        foreach ($report['ids'] as $name => $templateId) {
            $row = $wanted[substr((string)$name, 1)];
            if ($row['routine_tempid'] !== $templateId || !self::holdsKids($row)) {
                TemplateRows::save((int)$row['id'], $templateId, $row['kids']);
            }
        }
        TemplateRows::forgetCached();
        return self::inWords($report, $wanted);
    }

    /**
     * 关键词编号：行里有就用；没有则像商城那样，用内容里的名称到公共模板中查。
     * The keyword numbers: the row's own, or else those that have the names of the content, as CRMEB finds them.
     *
     * @param array<string, mixed> $row
     *
     * @return array{0: list<int>, 1: string} 编号，或没有编号的原因 / the numbers, or why there are none
     */
    private static function kids(App $app, array $row): array
    {
        $own = self::own($row);
        if ($own !== [] || (int)$row['is_routine'] !== 1) {
            return [$own, ''];
        }
        preg_match_all('/^\s*([^\r\n{]+?)\s*[:：]?\s*\{\{/mu', (string)$row['routine_content'], $names);
        try {
            $keywords = array_column($app->publicKeywords((string)$row['routine_tempkey']), 'kid', 'name');
        } catch (RefusedException | TransportException | \ValueError $unknown) {
            // syncTemplates() may recognise the template by its fields, and reports it if not.
            return [[], $unknown->getMessage()];
        }
        $missing = array_diff($names[1], array_keys($keywords));
        if ($missing !== []) {
            // CRMEB would add a template without these fields, and then send them.
            return [[], '公共模板中没有关键词 / no such keyword：' . implode('、', $missing)];
        }
        return [array_map(static function (string $name) use ($keywords): int {
            return (int)$keywords[$name];
        }, $names[1]), ''];
    }

    /** @return list<int> */
    private static function own(array $row): array
    {
        preg_match_all('/\d+/', (string)$row['routine_kid'], $numbers);
        return array_map('intval', $numbers[0]);
    }

    private static function holdsKids(array $row): bool
    {
        return self::own($row) === $row['kids'];
    }

    /** Names that are no numbers: PHP would make lists of them, and lists are named by their marks. */
    private static function named(array $rows): array
    {
        $named = [];
        foreach ($rows as $id => $row) {
            $named['#' . $id] = $row;
        }
        return $named;
    }

    /**
     * @param array<string, mixed> $report
     * @param array<string, array<string, mixed>> $rows
     */
    private static function inWords(array $report, array $rows): string
    {
        $words = sprintf('同步完成：保留 %d 个，新增 %d 个', count($report['kept']), count($report['added']));
        foreach ($report['failed'] as $name => $failure) {
            $row = $rows[substr((string)$name, 1)];
            $reason = $row['name'] . '（' . $row['routine_tempkey'] . '）：' . ($row['problem'] ?: $failure['errmsg'] . ' ' . $failure['hint']);
            ShopLog::error('同步订阅消息失败 / a template was not synchronised：' . $reason);
            $words .= '；失败 ' . $reason;
        }
        return $words;
    }
}
