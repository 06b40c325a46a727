<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Soak;

use RoutineTemplate\App;
use RoutineTemplate\StoreException;
use RoutineTemplate\Tests\Sandbox;
use RoutineTemplate\Tests\Shop;

/** What a shop's visitors were told, what WeChat has written down, and what the shop's store says: in the end all three must agree. */
final class Books
{
    private Shop $shop;
    private Sandbox $sandbox;

    /** @var array<string, string> the receiver and template of every message that anybody has asked for, by its name */
    private array $asked = [];

    /** @var array<string, true> names of messages that were sent while the store did not answer, so that it may not know of them */
    private array $unrecorded = [];

    /** @var array<string, string> what was said of each message: `queued`, `delivered`, `not_delivered` or `unknown` */
    private array $verdicts = [];

    /** @var array<string, string> ids of queued messages by name */
    private array $ids = [];

    /** @var array<string, array<string, int>> how often a buyer has accepted, by template */
    private array $accepts = [];

    /** @var array<string, int> how often WeChat has taken each message */
    private array $journal = [];

    private int $lastNumber = 0;

    /** @var array<string, string> names by the msgid that WeChat gave */
    private array $msgids = [];

    /** @var array<string, string> the state of every row by name, after close() */
    private array $states = [];

    /** @var array<string, true> access tokens that were given out */
    private array $tokens = [];

    /** @var array<string, int> */
    private array $told = [];

    /** @var list<string> what must not be */
    private array $faults = [];

    public function __construct(Shop $shop, Sandbox $sandbox)
    {
        $this->shop = $shop;
        $this->sandbox = $sandbox;
    }

    public function asked(string $openid, string $template, string $name): void
    {
        $this->asked[$name] = "$openid $template";
    }

    /** @param list<string> $templates */
    public function accepted(string $openid, array $templates): void
    {
        foreach ($templates as $template) {
            $this->accepts[$openid][$template] = ($this->accepts[$openid][$template] ?? 0) + 1;
        }
    }

    /** @param mixed $answer */
    public function answered(array $request, $answer, bool $isRecorded): void
    {
        if (!$isRecorded && in_array($request['do'], ['send', 'sendMany'], true)) {
            $this->unrecorded += array_fill_keys(array_keys($answer), true);
        }
        switch ($request['do']) {
            case 'queue':
                foreach ($answer as $name => $id) {
                    if (($this->ids[$name] ?? $id) !== $id) {
                        $this->fault("queue: $name is two messages");
                    }
                    $this->ids[$name] = $id;
                    $this->verdicts[$name] = 'queued';
                }
                break;
            case 'send':
            case 'sendMany':
                $this->verdicts = $answer + $this->verdicts;
                break;
            case 'recordGrants':
                if (count($answer['recorded'] ?? []) !== count($request['result']) - 1) {
                    $this->fault('recordGrants: ' . json_encode($answer));
                }
                break;
            case 'status':
                if ($answer === null) {
                    $this->fault("status: {$request['id']} is gone");
                }
                break;
            case 'accessToken':
                if ($answer !== null) {
                    $this->tokens[$answer] = true;
                }
                break;
        }
    }

    public function someId(): ?string
    {
        return $this->ids === [] ? null : $this->ids[array_rand($this->ids)];
    }

    public function fault(string $fault): void
    {
        $this->faults[] = $fault;
    }

    /** Something that may be, but that one wants to know of. */
    public function told(string $what): void
    {
        $this->told[$what] = ($this->told[$what] ?? 0) + 1;
    }

    /** Takes over what WeChat has accepted since the last time; it keeps the newest only. */
    public function readJournal(): void
    {
        foreach ($this->sandbox->messages(['appid' => $this->shop->appid, 'since' => $this->lastNumber]) as $message) {
            $name = $message['data']['character_string1']['value'];
            $this->journal[$name] = ($this->journal[$name] ?? 0) + 1;
            $this->msgids[(string) $message['msgid']] = $name;
            $this->lastNumber = $message['number'];
        }
    }

    public function delivered(): int
    {
        return array_sum($this->journal);
    }

    /**
     * Compares everything, once nothing is under way any more.
     *
     * @return array<string, int|string> what was counted
     */
    public function close(App $app): array
    {
        $this->readJournal();
        $this->states = $rows = $this->rows($app);
        $twice = array_keys(array_filter($this->journal, static fn (int $times): bool => $times > 1));
        foreach ($twice as $name) {
            $this->fault("$name came {$this->journal[$name]} times");
        }
        foreach (array_diff_key($this->journal, $this->asked) as $name => $times) {
            $this->fault("$name: nobody has asked for it");
        }
        $lost = $this->compareMessages($rows);
        $ledger = $this->compareGrants($app);
        $states = array_count_values($rows);
        return [
            'messages that requests asked for' => count($this->asked),
            'messages of which a request was answered' => count($this->verdicts),
            'of them queued' => count($this->ids),
            'accepted by WeChat' => $this->delivered(),
            'rows: delivered / refused / not sent / expired / unknown' => implode(' / ', array_map(
                static fn (string $state): int => $states[$state] ?? 0,
                ['delivered', 'refused', 'not_sent', 'expired', 'unknown']
            )),
            'sent while the store did not answer' => count($this->unrecorded),
            'lost' => $lost,
            'twice' => count($twice),
        ] + $ledger;
    }

    /**
     * Arrivals that found no row, after close().
     *
     * @param list<string> $msgids
     */
    public function receiptsWithoutRow(array $msgids): void
    {
        foreach ($msgids as $msgid) {
            $name = $this->msgids[$msgid] ?? 'nothing';
            if (($this->states[$name] ?? '') !== 'unknown' && !isset($this->unrecorded[$name])) {
                $this->fault("the arrival of $name ($msgid) found no row, and it is " . ($this->states[$name] ?? 'none'));
            }
        }
    }

    /** @return list<string> */
    public function faults(): array
    {
        return $this->faults;
    }

    /** @return array<string, int> */
    public function remarks(): array
    {
        return $this->told;
    }

    /** @return list<string> */
    public function tokens(): array
    {
        return array_keys($this->tokens);
    }

    /**
     * What the store answers; on a very busy machine it may need to be asked again.
     *
     * @template T
     * @param callable():T $ask
     * @return T
     */
    public static function patiently(callable $ask)
    {
        for ($end = microtime(true) + 120; ; usleep(100_000)) {
            try {
                return $ask();
            } catch (StoreException $exception) {
                if (microtime(true) > $end) {
                    throw $exception;
                }
            }
        }
    }

    /** @return array<string, string> the state of every row, by the message's name */
    private function rows(App $app): array
    {
        $states = [];
        // A busy machine takes many short pages more easily than a few long ones.
        $filter = ['limit' => 100];
        while (($page = self::patiently(static fn (): array => $app->deliveries($filter))) !== []) {
            foreach ($page as $row) {
                if (isset($states[$row['key']])) {
                    $this->fault("{$row['key']} has two rows");
                }
                $states[$row['key']] = $row['state'];
            }
            $filter['before'] = $row['id'];
        }
        return $states;
    }

    /**
     * Rows and verdicts against WeChat's journal; what was not acknowledged may have a row or none.
     *
     * @param array<string, string> $rows
     */
    private function compareMessages(array $rows): int
    {
        // By what the row says: whether WeChat has the message; null where nobody can know.
        $fits = ['delivered' => true, 'refused' => false, 'not_sent' => false, 'expired' => false, 'unknown' => null];
        foreach ($rows as $name => $state) {
            $has = isset($this->journal[$name]);
            if (!array_key_exists($state, $fits) || $fits[$state] === !$has) {
                $this->fault("$name is $state, and WeChat has " . ($has ? 'it' : 'it not'));
            }
        }
        $lost = 0;
        foreach ($this->verdicts as $name => $verdict) {
            $state = $rows[$name] ?? 'without a row';
            $right = [
                'queued' => isset($rows[$name]),
                'delivered' => $state === 'delivered',
                'not_delivered' => in_array($state, ['refused', 'not_sent'], true),
                'unknown' => in_array($state, ['unknown', 'delivered'], true),
            ];
            // What the store could not be told is right as far as WeChat's journal goes.
            $has = isset($this->journal[$name]);
            $right['delivered'] = $right['delivered'] || isset($this->unrecorded[$name]) && $has;
            $right['not_delivered'] = $right['not_delivered'] || isset($this->unrecorded[$name]) && !$has;
            $right['unknown'] = $right['unknown'] || isset($this->unrecorded[$name]);
            if (!$right[$verdict]) {
                $lost++;
                $this->fault("$name: the request was told $verdict, the row is $state, WeChat has it " . ($this->journal[$name] ?? 0) . ' times');
            }
        }
        foreach (array_diff_key($this->journal, $rows, $this->unrecorded) as $name => $times) {
            $this->fault("$name: WeChat has it, and there is no row");
        }
        return $lost;
    }

    /** @return array<string, int> */
    private function compareGrants(App $app): array
    {
        $unrecorded = array_flip(array_intersect_key($this->asked, $this->unrecorded));
        $sum = ['accepted' => 0, 'delivered' => 0, 'reserved' => 0, 'lost' => 0, 'available' => 0];
        $wrong = 0;
        foreach ($this->accepts as $openid => $accepts) {
            $rows = self::patiently(static fn (): array => $app->grants((string) $openid));
            $wechat = $this->sandbox->grants($this->shop->appid, (string) $openid);
            foreach ($accepts as $template => $accepted) {
                $row = $rows[$template] ?? array_fill_keys(array_keys($sum), 0);
                $left = $wechat[$template]['available'] ?? 0;
                $right = $row['available'] === $row['accepted'] - $row['delivered'] - $row['reserved'] - $row['lost']
                    && $row['accepted'] === $accepted && $row['lost'] === 0
                    // Of those that are reserved WeChat may have spent any.
                    && $row['available'] <= $left && $left <= $row['available'] + $row['reserved'];
                if (!$right && !isset($unrecorded["$openid $template"])) {
                    $wrong++;
                    $this->fault("the ledger of $openid, $template: accepted $accepted times, WeChat has $left left: " . json_encode($row));
                }
                foreach ($sum as $name => $value) {
                    $sum[$name] = $value + $row[$name];
                }
            }
        }
        return [
            'grants accepted' => $sum['accepted'],
            '= delivered + reserved + lost + available' => "{$sum['delivered']} + {$sum['reserved']} + {$sum['lost']} + {$sum['available']}",
            'ledger rows that do not add up' => $wrong,
            'grants spent twice (43101 from WeChat)' => (int) ($this->sandbox->counters()['answers']['errcode'][43101] ?? 0),
        ];
    }
}
