<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

/**
 * The tables as Markdown in both languages, with the same numbers in both, and single figures by name for the list of targets. Each
 * script writes pages of its own into the directory that BENCH_RESULTS names.
 */
final class Report
{
    /** English and Chinese, as every text here. */
    private const PAGES = ['.md', '.zh-CN.md'];
    private static string $section;

    /** Begins the pages of a script anew. */
    public static function begin(string $section): void
    {
        self::$section = $section;
        foreach (self::PAGES as $page) {
            file_put_contents(self::directory() . "/$section$page", '');
        }
    }

    private static function directory(): string
    {
        return getenv('BENCH_RESULTS') ?: dirname(__DIR__, 2) . '/build/benchmarks';
    }

    /**
     * @param array{string, string} $title
     * @param list<array{string, string}> $columns
     */
    public static function table(array $title, array $columns): void
    {
        $lines = [];
        foreach ([0, 1] as $language) {
            $heads = implode(' | ', array_column($columns, $language));
            $lines[] = "\n### {$title[$language]}\n\n| | $heads |\n|---|" . str_repeat('---:|', count($columns)) . "\n";
        }
        self::write($lines);
    }

    /**
     * @param array{string, string} $label
     * @param list<string> $cells
     */
    public static function row(array $label, array $cells): void
    {
        self::write(array_map(static fn (string $text): string => "| $text | " . implode(' | ', $cells) . " |\n", $label));
    }

    /** @param array{string, string} $text a paragraph */
    public static function note(array $text): void
    {
        self::write(array_map(static fn (string $words): string => "\n$words\n", $text));
    }

    /** Keeps a figure for {@see figures()}. */
    public static function figure(string $name, float $value): void
    {
        $figures = self::figures();
        $figures[$name] = $value;
        file_put_contents(self::directory() . '/figures.json', json_encode($figures, JSON_PRETTY_PRINT | JSON_THROW_ON_ERROR));
    }

    /** @return array<string, float> what all scripts of this run have measured so far */
    public static function figures(): array
    {
        $file = self::directory() . '/figures.json';
        return is_file($file) ? json_decode((string) file_get_contents($file), true, 8, JSON_THROW_ON_ERROR) : [];
    }

    /** @param list<string> $texts one for each language */
    private static function write(array $texts): void
    {
        foreach (self::PAGES as $language => $page) {
            file_put_contents(self::directory() . '/' . self::$section . $page, $texts[$language], FILE_APPEND);
        }
        echo $texts[0];
    }
}
