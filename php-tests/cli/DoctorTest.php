<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use RoutineTemplate;
use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\Face;
use RoutineTemplate\Tests\RunningPhp;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\TemporaryDirectory;

/** `routine-template doctor` next to a PHP that has the extension. */
final class DoctorTest extends SandboxTestCase
{
    public function testTheSettingsOfPhpIniAreFoundThroughPhpAndThePhpIsReported(): void
    {
        Face::onlyExtension('doctor asks PHP for the module.');
        $directory = TemporaryDirectory::create();
        $settings = [
            'appid' => $this->shop->appid, 'secret' => $this->shop->secret, 'base_url' => $this->sandbox->https,
            'ca_file' => $this->sandbox->caFile, 'store' => Environment::newStore(),
        ];
        $lines = ['extension=' . Environment::extension()];
        foreach ($settings as $name => $value) {
            $lines[] = "routine_template.$name = \"$value\"";
        }
        $ini = $directory->write('php.ini', implode("\n", $lines) . "\n");

        $result = (new RunningPhp([Environment::command(), 'doctor', '--json', '--lang', 'en'], $directory, 60.0, [
            'PHPRC' => $directory->path, 'PHP_INI_SCAN_DIR' => '', 'PATH' => dirname(PHP_BINARY) . ':' . getenv('PATH'),
        ]))->wait();

        self::assertStringNotContainsString($this->shop->secret, $result->output);
        $checks = $result->json()['checks'];
        $ours = array_values(array_filter($checks, static fn (array $row): bool => $row['check'] === 'php'
            && ($row['facts']['extension'] ?? null) === RoutineTemplate::version() && !$row['facts']['fpm']));
        self::assertNotSame([], $ours, $result->output);
        self::assertSame(['ok', $ini], [$ours[0]['level'], $ours[0]['facts']['ini']]);
        $levels = array_column($checks, 'level', 'check');
        self::assertSame(['ok', 'ok', 'ok'], [$levels['secret'], $levels['token'], $levels['quota']], $result->output);
        $settings = $checks[array_search('settings', array_column($checks, 'check'), true)];
        self::assertSame($this->shop->appid, $settings['facts']['appid']);
        self::assertStringContainsString('php.ini of', $settings['text']);
    }
}
