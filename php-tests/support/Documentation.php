<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

/** The PHP code that the documentation shows. */
final class Documentation
{
    /** @return list<string> the PHP blocks of a page, in their order */
    public static function php(string $page): array
    {
        $text = (string) file_get_contents(dirname(__DIR__, 2) . '/' . $page);
        preg_match_all('/^```php\n(.*?)^```/ms', $text, $blocks);
        return $blocks[1];
    }

    /** @return list<string> what the diff blocks of a page, which show code before and after, make of the code */
    public static function changed(string $page): array
    {
        $text = (string) file_get_contents(dirname(__DIR__, 2) . '/' . $page);
        preg_match_all('/^```diff\n(.*?)^```/ms', $text, $blocks);
        return array_map(static function (string $block): string {
            return (string) preg_replace(['/^-.*\n/m', '/^[+ ]/m'], '', $block);
        }, $blocks[1]);
    }

    /** @return list<string> the PHP blocks without the comments, which every language has of its own */
    public static function withoutComments(string $page): array
    {
        return array_map(static fn (string $code): string => (string) preg_replace('~ *// .*~', '', $code), self::php($page));
    }
}
