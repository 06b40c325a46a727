<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Abuse;

use Closure;
use ReflectionClass;
use ReflectionMethod;
use Throwable;

/**
 * Every odd value in every place, one call each, in the process that runs this. What became of a call is written down as soon as it
 * is known, and its name before it is made: a process that ends in the midst of one has said which.
 */
final class Cases
{
    /** A call that has not ended by then hangs, on whatever machine. */
    private const SECONDS = 90;

    private \stdClass $shop;

    private Verdict $verdict;

    /** @var array<string, Closure> */
    private array $values;

    /** @var resource */
    private $record;

    /** @var list<string> what PHP said during a call */
    private array $remarks = [];

    private int $number = 0;
    private int $skip;

    /** @param int $skip how many calls earlier processes have made */
    public function __construct(\stdClass $shop, string $stubs, string $record, int $skip)
    {
        require_once __DIR__ . '/values.php';
        $this->shop = $shop;
        $this->verdict = new Verdict($shop, $stubs);
        $this->values = \abuse_values();
        $this->record = fopen($record, 'ab');
        $this->skip = $skip;
        set_error_handler(function (int $level, string $text): bool {
            // That a callable of the application wants a reference is between it and PHP.
            if (strpos($text, '{closure') !== 0) {
                $this->remarks[] = $text;
            }
            return true;
        });
    }

    /** The account of an instance method; null for a static one. */
    public static function owner(ReflectionMethod $method, string $appid): ?object
    {
        return $method->isStatic() ? null : \RoutineTemplate::app($appid);
    }

    /** Calls whatever a class offers to everybody, and writes down what became of it. */
    public function run(string $class): void
    {
        if ($class === 'RoutineTemplate\App') {
            // The same code behind other methods: their own part is to hand over whatever type it is.
            $this->values = $this->oneOfEachType();
        }
        foreach (self::methods($class) as $method) {
            $this->begin($method->getName());
            $places = new Places($this->shop);
            foreach ($places->of($method) as $place => [$names, $arguments]) {
                foreach ($this->values as $value => $make) {
                    if ($this->number++ >= $this->skip) {
                        $this->runCase($method, "$place = $value", $names, $make, $arguments);
                    }
                }
            }
            foreach (Ways::of($method, $places->arguments($method), $this->shop->appid) as $way => $call) {
                if ($this->number++ >= $this->skip) {
                    $this->outcome($method, $way, null, $call);
                }
            }
        }
        fwrite($this->record, "D\t{$this->number}\n");
    }

    /**
     * Calls the same again and again, but for what is large or ends the process; for a measure of memory.
     *
     * @return list<array{calls: int, memory: int, resident: int}> after each round, in bytes
     */
    public function repeat(string $class, int $rounds): array
    {
        $measured = [];
        for ($round = 0; $round < $rounds; $round++) {
            $calls = 0;
            foreach (self::methods($class) as $method) {
                $this->begin('');
                foreach ((new Places($this->shop))->of($method) as [, $arguments]) {
                    foreach ($this->values as $value => $make) {
                        if (preg_match('/exits|MB|deep|many keys|long key|without end/', $value) !== 1) {
                            $this->call($method, $arguments($make()));
                            $calls++;
                        }
                    }
                }
            }
            gc_collect_cycles();
            preg_match('/VmRSS:\s+(\d+)/', (string) file_get_contents('/proc/self/status'), $resident);
            $measured[] = ['calls' => $calls, 'memory' => memory_get_usage(), 'resident' => 1024 * (int) $resident[1]];
        }
        return $measured;
    }

    /** @return array<string, Closure> */
    private function oneOfEachType(): array
    {
        $kept = [];
        foreach ($this->values as $name => $make) {
            if (preg_match('/ that (throws|exits|calls)| what (throws|exits|calls)/', $name) === 1) {
                $kept[$name] = [$name, $make];
            } elseif (strpos($name, 'returns') === false) {
                $value = $make();
                $kept += [is_object($value) ? get_class($value) : gettype($value) => [$name, $make]];
            }
        }
        return array_column($kept, 1, 0);
    }

    /** @param list<mixed> $arguments */
    private function call(ReflectionMethod $method, array $arguments): void
    {
        try {
            $method->invokeArgs(self::owner($method, $this->shop->appid), $arguments);
        } catch (Throwable $thrown) {
            self::letGo($thrown);
        }
        self::letGo($arguments);
        if ($method->getName() === 'configure') {
            try {
                \RoutineTemplate::configure($this->shop->config);
            } catch (\DomainException $exception) {
                return;
            }
        }
    }

    /** Each method has a store of its own, with one message in it: a queue that another one filled would be waited for. */
    private function begin(string $method): void
    {
        $store = $method === '' ? 'off' : "{$this->shop->stores}/$method";
        $isNew = $store !== 'off' && !is_dir($store) && mkdir($store, 0700);
        $this->shop->config['store'] = $store;
        \RoutineTemplate::configure($this->shop->config);
        \RoutineTemplate::registerTemplate('known', $this->shop->orderPaid, $this->shop->content);
        if ($isNew) {
            \RoutineTemplate::recordGrants($this->shop->openid, [$this->shop->orderPaid => 'accept']);
            \RoutineTemplate::send($this->shop->openid, $this->shop->orderPaid, $this->shop->order);
        }
    }

    /** @return list<ReflectionMethod> PHP's own, such as the constructor, left out */
    private static function methods(string $class): array
    {
        return array_filter((new ReflectionClass($class))->getMethods(ReflectionMethod::IS_PUBLIC), static function (ReflectionMethod $method): bool {
            return strncmp($method->getName(), '__', 2) !== 0;
        });
    }

    private function runCase(ReflectionMethod $method, string $name, array $names, Closure $make, Closure $arguments): void
    {
        $value = $make();
        $given = $arguments($value);
        // PHP's own serialize() does not survive ten thousand levels.
        $fingerprint = strpos($name, '= deep') === false ? [self::class, 'fingerprint'] : 'gettype';
        $before = $after = $fingerprint($given);
        // The call has the last of it.
        unset($value);
        $this->outcome($method, $name, $names, function () use ($method, $fingerprint, &$given, &$after) {
            $owner = self::owner($method, $this->shop->appid);
            try {
                $returned = $method->invokeArgs($owner, $given);
                if ($method->getName() === 'configure') {
                    // What was configured is used once.
                    \RoutineTemplate::accessToken();
                }
                return $returned;
            } finally {
                $after = $fingerprint($given);
                self::letGo($given);
                if ($method->getName() === 'configure') {
                    // The library lets go of it as well.
                    \RoutineTemplate::configure($this->shop->config);
                }
            }
        });
        if ($after !== $before) {
            $this->write('E', ['fault' => 'an argument was changed']);
        }
    }

    /** Values may throw at their end. @param mixed $last */
    private static function letGo(&$last): void
    {
        try {
            $last = null;
        } catch (\DomainException $exception) {
            return;
        }
    }

    /** @param list<string>|null $names what a complaint about a value may call it; null where the call itself is wrong */
    private function outcome(ReflectionMethod $method, string $name, ?array $names, Closure $call): void
    {
        $label = $method->getDeclaringClass()->getName() . '::' . $method->getName() . "() $name";
        $this->write('B', ['number' => $this->number, 'name' => $this->verdict->withoutIds($label)]);
        $this->remarks = [];
        $begun = microtime(true);
        ob_start();
        try {
            $outcome = $this->verdict->ofReturned($method, $call());
        } catch (Throwable $thrown) {
            $outcome = $this->verdict->ofThrown($thrown, $names === null || $method->getNumberOfParameters() > 1 ? $names : array_merge($names, [$method->getName()]));
            // Its trace has the arguments.
            self::letGo($thrown);
        }
        $printed = ob_get_clean();
        if (microtime(true) - $begun > self::SECONDS) {
            $outcome['fault'] = 'took ' . round(microtime(true) - $begun) . ' seconds';
        } elseif ($printed !== '') {
            $outcome['fault'] = 'printed ' . substr((string) $printed, 0, 200);
        } elseif ($this->remarks !== []) {
            $outcome['fault'] = 'PHP said: ' . $this->remarks[0];
        }
        $this->write('E', $outcome);
    }

    /** @param mixed $value */
    public static function fingerprint($value): ?string
    {
        try {
            return md5(serialize($value));
        } catch (Throwable $thrown) {
            // Closures and the like: their content is code.
            return null;
        }
    }

    private function write(string $kind, array $row): void
    {
        $text = json_encode($row, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE);
        fwrite($this->record, "$kind\t$text\n");
    }
}
