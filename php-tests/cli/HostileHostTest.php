<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\TemporaryDirectory;

/** What the environment and other users of the host can try. */
final class HostileHostTest extends SandboxTestCase
{
    private const TRY_TO_SEND = 'try { $said = RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order)["errcode"]; }'
        . 'catch (RoutineTemplate\TransportException $failure) { $said = $failure->getMessage(); }';

    public function testTheEnvironmentMakesNoCertificateTrusted(): void
    {
        $result = PhpProcess::run(
            $this->shop->script(self::TRY_TO_SEND . 'echo $said;', ['ca_file' => '', 'hint_lang' => 'en']),
            [],
            60.0,
            ['SSL_CERT_FILE' => $this->sandbox->caFile, 'SSL_CERT_DIR' => dirname($this->sandbox->caFile)]
        );
        self::assertStringContainsString('the certificate is not trusted', $result->output, $result->describe());
        self::assertSame([], $this->shop->messages());
    }

    public function testTheEnvironmentTakesNothingAwayFromTheSettings(): void
    {
        $proxies = array_fill_keys(['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY'], 'http://127.0.0.1:9');
        $result = PhpProcess::run(
            $this->shop->script(self::TRY_TO_SEND . 'echo $said;'),
            [],
            60.0,
            $proxies + ['SSL_CERT_FILE' => '/dev/null', 'SSLKEYLOGFILE' => $keys = $this->sandbox->caFile . '.keys']
        );
        self::assertSame('0', $result->output, $result->describe());
        self::assertFileDoesNotExist($keys);
    }

    /** @dataProvider inPlaceOfTheLog */
    public function testWhatStandsInPlaceOfTheLogIsLeftAlone(callable $plant): void
    {
        $directory = TemporaryDirectory::create();
        try {
            $elsewhere = $directory->path . '/elsewhere';
            $plant($directory->path . '/log', $elsewhere);
            $before = @file_get_contents($elsewhere);
            $open = $directory->privateTo('open', null);
            chmod($open, 0777);
            $result = PhpProcess::run(
                $this->shop->script(
                    self::TRY_TO_SEND . 'echo json_encode([$said, RoutineTemplate::stats()["log_failures"]]);',
                    ['store' => $open, 'log_file' => $directory->path . '/log']
                ),
                [],
                60.0
            );
            [$said, $failures] = $result->json();
            self::assertSame(0, $said, 'a log that cannot be written stops nothing');
            self::assertGreaterThan(0, $failures);
            self::assertSame($before, @file_get_contents($elsewhere));
        } finally {
            $directory->remove();
        }
    }

    /** @return array<string, array{callable}> */
    public static function inPlaceOfTheLog(): array
    {
        return [
            'a link that leads nowhere' => [static fn (string $log, string $elsewhere) => symlink($elsewhere, $log)],
            'a link to a file' => [static fn (string $log, string $elsewhere) => file_put_contents($elsewhere, 'x') && symlink($elsewhere, $log)],
            'a FIFO that nobody reads' => [static fn (string $log) => posix_mkfifo($log, 0666)],
        ];
    }

    public function testAStoreThatAnotherUserHasMadeInAnOpenDirectoryIsRefused(): void
    {
        if (Environment::workerUser() === null) {
            self::markTestSkipped('Only root can make a directory of another user.');
        }
        $directory = TemporaryDirectory::create();
        try {
            $planted = $directory->privateTo('store', Environment::workerUser());
            chmod($directory->path, 01777);
            $result = PhpProcess::run(
                $this->shop->script(self::TRY_TO_SEND . 'echo json_encode([$said, RoutineTemplate::stats()["store_error"]]);', ['store' => $planted, 'hint_lang' => 'en']),
                [],
                60.0
            );
            [$said, $error] = $result->json();
            self::assertSame(0, $said, 'the message goes out without it');
            self::assertStringContainsString('belongs to another user', (string) $error);
            self::assertSame(['.', '..'], scandir($planted), 'no secret and no token lies there');
        } finally {
            $directory->remove();
        }
    }
}
