<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

use RuntimeException;

/** Runs PHP code with the face under test in a process of its own, so that a crash or a hang is a failed test and no more. */
final class PhpProcess
{
    /**
     * Runs the code to its end.
     *
     * @param array<string, string|int|list<string>> $ini settings; `routine_template.` stands in front of names without a dot;
     *                                                    `extension` is a list of further modules
     * @param array<string, string> $environment
     */
    public static function run(string $code, array $ini = [], float $seconds = 30.0, array $environment = []): ProcessResult
    {
        return self::start($code, $ini, $seconds, $environment)->wait();
    }

    /**
     * Runs PHP with these arguments instead of a script.
     *
     * @param list<string> $arguments
     */
    public static function runWith(array $arguments, array $ini = [], float $seconds = 30.0): ProcessResult
    {
        return (new RunningPhp(array_merge(self::command($ini), $arguments), null, $seconds, []))->wait();
    }

    /** Starts the code and returns at once; for several processes side by side. */
    public static function start(string $code, array $ini = [], float $seconds = 30.0, array $environment = []): RunningPhp
    {
        $directory = TemporaryDirectory::create();
        $file = $directory->write('script.php', str_starts_with($code, '<?php') ? $code : "<?php\n" . $code);
        return new RunningPhp(array_merge(self::command($ini), ['-f', $file]), $directory, $seconds, $environment);
    }

    /** @return list<string> PHP without the machine's php.ini, with the face under test and these settings */
    public static function command(array $ini = []): array
    {
        $settings = Face::settings();
        $command = [PHP_BINARY, '-n'];
        foreach (array_unique(array_merge($settings['extension'], $ini['extension'] ?? [])) as $module) {
            array_push($command, '-d', "extension=$module");
        }
        unset($settings['extension'], $ini['extension']);
        foreach ($ini as $name => $value) {
            $settings[str_contains($name, '.') || in_array($name, ['memory_limit', 'display_errors', 'auto_prepend_file'], true)
                ? $name : "routine_template.$name"] = $value;
        }
        $settings += [
            'display_errors' => 'stderr',
            'error_reporting' => '-1',
            'date.timezone' => 'Asia/Shanghai',
            'memory_limit' => '1G',
            // No test may reach the real WeChat or the user's own store, whatever it forgets to say.
            'routine_template.base_url' => 'https://127.0.0.1:9',
            'routine_template.store' => Environment::store(),
        ];
        foreach ($settings as $name => $value) {
            array_push($command, '-d', $name . '="' . addcslashes((string) $value, '"\\') . '"');
        }
        return $command;
    }
}
