<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb\Zzff;

/**
 * 商城传入的键与模板的字段：模板由店家自己从关键词中选出，键不一定是商城代码里写的那些。
 * The keys that the shop passes, and the fields of the template: shops choose the keywords of their templates themselves, so the
 * keys need not be those in CRMEB's code.
 */
final class TemplateFields
{
    private function __construct()
    {
    }

    /**
     * 模板内容中的字段，按顺序。
     * The fields of a content, in its order.
     *
     * @return list<string> "订单号{{character_string1.DATA}}" => ['character_string1']
     */
    public static function of(string $content): array
    {
        preg_match_all('/\{\{\s*(\w+?)(?:\.DATA)?\s*\}\}/', $content, $found);
        return array_values(array_unique($found[1]));
    }

    /**
     * 把数据的键换成模板的字段。只在不会弄错时改：先按设置；再看类型，多出的键与空着的字段各只有一个；旧模板消息的 keyword1、keyword2
     * 按次序，remark（没有则 first）放入唯一空着的 thing。其余原样保留，由发送时的检查指出缺少哪个字段。
     * Renames the keys of the data to the fields of the template, where that cannot go wrong: as the settings say; then by type,
     * if one key is left over and one field free; keyword1, keyword2 of old template messages by their order; and remark, or else
     * first, into the only thing field that is free. Everything else stays, and the check before sending names what is missing.
     *
     * @param array<string, mixed> $data
     * @param array<string, string> $renamed 键 => 字段 / key => field
     *
     * @return array<string, mixed>
     */
    public static function match(array $data, string $content, array $renamed = []): array
    {
        $fields = self::of($content);
        $given = [];
        foreach ($data as $key => $value) {
            $key = preg_replace('/\.DATA$/', '', (string)$key);
            $given[$renamed[$key] ?? $key] = $value;
        }
        if ($fields === []) {
            return $given;
        }
        foreach (self::places($given, $fields) as $key => $field) {
            $given[$field] = $given[$key];
            unset($given[$key]);
        }
        return $given;
    }

    /**
     * @param array<string, mixed> $given
     * @param list<string> $fields
     *
     * @return array<string, string> 键 => 字段 / key => field
     */
    private static function places(array $given, array $fields): array
    {
        $keys = array_map('strval', array_keys($given));
        $places = [];
        $left = array_values(array_diff($keys, $fields));
        $free = array_values(array_diff($fields, $keys));
        foreach ($left as $key) {
            $alike = self::ofType($free, self::type($key));
            $isOnly = count($alike) === 1 && count(self::ofType($left, self::type($key))) === 1;
            $number = preg_match('/^keyword([1-9]\d?)$/', $key, $found) === 1 ? (int)$found[1] : 0;
            $field = $isOnly ? $alike[0] : ($fields[$number - 1] ?? '');
            if (in_array($field, array_diff($free, $places), true)) {
                $places[$key] = $field;
            }
        }
        $things = self::ofType(array_values(array_diff($free, $places)), 'thing');
        $text = current(array_intersect(['remark', 'first'], $left));
        if (count($things) === 1 && $text !== false) {
            $places[$text] = $things[0];
        }
        return $places;
    }

    private static function type(string $key): string
    {
        return (string)preg_replace('/\d+$/', '', $key);
    }

    /**
     * @param list<string> $keys
     *
     * @return list<string>
     */
    private static function ofType(array $keys, string $type): array
    {
        return array_values(array_filter($keys, static function (string $key) use ($type): bool {
            return self::type($key) === $type;
        }));
    }
}
