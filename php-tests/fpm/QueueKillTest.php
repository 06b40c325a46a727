<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Fpm;

use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\QueueHunt;
use RoutineTemplate\Tests\Redis;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;
use RoutineTemplate\Tests\Wait;

/**
 * Real php-fpm behind real nginx, killed at any moment in every way; on Redis the connections are cut as well. Whatever a request
 * was answered for is delivered once, or reported. QUEUE_FPM_KILLS=500 hunts longer, QUEUE_FPM_SEED repeats the dice of a hunt.
 */
final class QueueKillTest extends SandboxTestCase
{
    /** As many as there are ways to kill on Redis, and the end of everything. */
    private const KILLS = 8;

    /** Leases of the dead, and what has waited behind them. */
    private const PATIENCE = 300;

    /** @var list<QueueHunt> */
    private array $hunts = [];

    private ?Redis $redis = null;

    protected function setUp(): void
    {
        foreach (['posix_geteuid', 'posix_kill', 'proc_open'] as $function) {
            if (!function_exists($function)) {
                self::markTestSkipped("This PHP has no $function().");
            }
        }
        parent::setUp();
    }

    protected function tearDown(): void
    {
        foreach ($this->hunts as $hunt) {
            $hunt->stop();
        }
        if ($this->redis !== null) {
            $this->redis->remove();
        }
        $this->hunts = [];
        $this->redis = null;
    }

    public function testWhateverWasAcceptedIsDeliveredOnceOrReportedWhoeverIsKilled(): void
    {
        mt_srand($seed = (int) (getenv('QUEUE_FPM_SEED') ?: random_int(1, 1_000_000)));
        $kills = (int) (getenv('QUEUE_FPM_KILLS') ?: self::KILLS);
        try {
            // While the leases of the one run out, the next is hunted.
            foreach ($this->places() as [$delivery, $store, $redis]) {
                $this->hunts[] = $hunt = new QueueHunt(new Shop($this->sandbox), $store, $delivery, $redis);
                $hunt->run($kills);
            }
            foreach ($this->hunts as $hunt) {
                Wait::until(fn (): bool => $this->isOver($hunt), 'the outbox to be empty: ' . $hunt->name(), self::PATIENCE);
                $this->judge($hunt);
            }
        } catch (\Throwable $fault) {
            fwrite(STDERR, "\nQUEUE_FPM_KILLS=$kills QUEUE_FPM_SEED=$seed\n");
            throw $fault;
        }
    }

    /** @return iterable<array{string, string, Redis|null}> delivery, store and server */
    private function places(): iterable
    {
        foreach (['thread', 'worker'] as $delivery) {
            yield [$delivery, Environment::newStore(), null];
        }
        if (Redis::program() !== null) {
            $this->redis = new Redis();
            foreach (['thread', 'worker'] as $database => $delivery) {
                yield [$delivery, $this->redis->url($database), $this->redis];
            }
        }
    }

    /** Whether this outbox is empty; all of them go on meanwhile. */
    private function isOver(QueueHunt $hunt): bool
    {
        return array_map(static fn (QueueHunt $each): bool => $each->isOver(), $this->hunts)[array_search($hunt, $this->hunts, true)];
    }

    private function judge(QueueHunt $hunt): void
    {
        $record = $hunt->record();
        $times = array_count_values($record);
        $count = $lost = [];
        foreach ($hunt->accepted as $name => $id) {
            $state = $hunt->app->status($id)['state'] ?? 'gone';
            $fits = [
                'delivered' => isset($times[$name]),
                'expired' => !isset($times[$name]) && substr($name, -1) === 'e',
                'unknown' => true,
            ];
            if (!($fits[$state] ?? false)) {
                $lost[] = "$name $state, accepted by WeChat " . ($times[$name] ?? 0) . ' times';
            }
            $count[$state] = ($count[$state] ?? 0) + 1;
        }
        $twice = array_keys(array_filter($times, static fn (int $number): bool => $number > 1));
        fwrite(STDERR, sprintf(
            "\n%s | kills %d | accepted %d | delivered %d | unknown %d | expired %d | lost %d | twice %d",
            $hunt->name(),
            $hunt->kills,
            count($hunt->accepted),
            $count['delivered'] ?? 0,
            $count['unknown'] ?? 0,
            $count['expired'] ?? 0,
            count($lost),
            count($twice)
        ));
        self::assertSame([], $lost);
        self::assertSame([], $twice);
        self::assertGreaterThan(0, $count['delivered'] ?? 0, 'nothing was tried');
        $rows = $hunt->rows();
        self::assertSame([], array_diff(array_keys($rows), ['delivered', 'unknown', 'expired']));
        self::assertSame([], array_diff($rows['delivered'], $record), 'delivered, but WeChat does not know it');
        self::assertSame([], array_diff($record, $rows['delivered'], $rows['unknown'] ?? []), 'WeChat has it, but no row says so');
        self::assertSame([], array_diff($record, array_keys($hunt->asked)), 'nobody has asked for it');
        self::assertSame([], $this->overtaken($record));
        self::assertSame([], $hunt->crashes());
    }

    /**
     * @param list<string> $record
     * @return list<string> the second messages of a request that came before the first
     */
    private function overtaken(array $record): array
    {
        $place = array_flip($record);
        return array_values(array_filter($record, static function (string $name) use ($place): bool {
            $first = str_replace('b', 'a', $name);
            return isset($place[$first]) && $place[$first] > $place[$name];
        }));
    }
}
