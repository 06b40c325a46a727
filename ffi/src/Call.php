<?php

declare(strict_types=1);

namespace RoutineTemplate\Ffi;

use Fiber;
use Throwable;
use WeakReference;

/**
 * 一次方法调用。需要应用的代码时，库停下来提问，由这里回答：应用的代码从不在库的函数内部运行。
 * One call of a method. Where it needs code of the application, the library stops and asks, and the reply comes from here: the
 * application's code never runs inside a function of the library.
 */
final class Call
{
    /** @var array<int, WeakReference|null> 尚未结束的调用：编号 => 所在的 Fiber / those without an end: number => its fiber */
    private static $open = [];

    /** @var int */
    private static $last = 0;

    /** @var bool */
    private static $isWatched = false;

    /** @var Library */
    private $library;

    /** @var Bulk|null */
    private $bulk;

    /** @var int 在库中的编号 / its number in the library */
    private $number;

    private function __construct(Library $library, ?Bulk $bulk)
    {
        $this->library = $library;
        $this->bulk = $bulk;
        $this->number = ++self::$last;
    }

    /** 应用以 exit 结束时，让库中的调用有始有终。 Where the application has left by `exit`, the call in the library ends all the same. */
    public function __destruct()
    {
        self::end($this->number);
    }

    /**
     * 调用方法。
     * Calls a method.
     *
     * @param list<mixed> $arguments
     * @return mixed
     */
    public static function make(string $method, ?string $appid, array $arguments)
    {
        return self::made(null, static function (array $more) use ($method, $appid, $arguments): string {
            return Tagged::call($method, $appid, $arguments, $more);
        });
    }

    /**
     * 调用参数已加标签的方法。
     * Calls a method with tagged arguments.
     *
     * @param list<mixed> $arguments
     * @return mixed
     */
    public static function makeTagged(
        string $method,
        ?string $appid,
        #[\SensitiveParameter]
        array $arguments
    ) {
        return self::made(null, static function (array $more) use ($method, $appid, $arguments): string {
            return Tagged::taggedCall($method, $appid, $arguments, $more);
        });
    }

    /**
     * 批量发送。
     * A bulk.
     *
     * @param list<mixed> $arguments
     * @return mixed
     */
    public static function makeBulk(?string $appid, array $arguments, array $more, Bulk $bulk)
    {
        return self::made($bulk, static function (array $number) use ($appid, $arguments, $more): string {
            return Tagged::call('sendMany', $appid, $arguments, $more + $number);
        });
    }

    /**
     * @param callable(array): string $text
     * @return mixed
     */
    private static function made(
        ?Bulk $bulk,
        #[\SensitiveParameter]
        callable $text
    ) {
        $library = Library::get();
        if (self::$open !== []) {
            self::endAbandoned();
        }
        // 没有应用的函数可问，也就不会停下。 Where there is no callable, nothing is asked.
        if ($bulk === null && !Suppliers::areThere()) {
            return self::value($library->call($text([])));
        }
        $call = new self($library, $bulk);
        return self::value($call->converse($text(['call' => $call->number])));
    }

    private function converse(
        #[\SensitiveParameter]
        string $text
    ): array {
        $this->watch();
        try {
            $answer = $this->library->call($text);
            while (isset($answer['ask'])) {
                $answer = $this->library->resume($this->number, $this->reply($answer));
            }
        } catch (Throwable $thrown) {
            // 信号处理函数也可能在任何一步抛出异常。 A signal handler may throw at any of these steps, too.
            self::end($this->number);
            throw $thrown;
        }
        unset(self::$open[$this->number]);
        if ($this->bulk !== null) {
            $this->bulk->take($answer['ended'] ?? []);
        }
        return $answer;
    }

    private function reply(array $question): string
    {
        if ($question['ask'] === 'token') {
            return Suppliers::reply($question['supplier'], $question['refresh']);
        }
        $this->bulk->take($question['ended']);
        switch ($question['ask']) {
            case 'next':
                return $this->bulk->next();
            case 'progress':
                $this->bulk->progress($question['done']);
                return 'true';
            default:
                return 'true';
        }
    }

    private function watch(): void
    {
        $fiber = self::fiber();
        self::$open[$this->number] = $fiber === null ? null : WeakReference::create($fiber);
        if (!self::$isWatched) {
            self::$isWatched = true;
            register_shutdown_function(static function (): void {
                self::endAbandoned();
            });
        }
    }

    private static function end(int $number): void
    {
        if (!array_key_exists($number, self::$open)) {
            return;
        }
        do {
            $answer = Library::get()->resume($number, 'false');
        } while (isset($answer['ask']));
        unset(self::$open[$number]);
    }

    /**
     * 致命错误（PHP 7.4 中还有 exit）不运行析构函数：脚本已经离开的调用，在下一次调用之前或脚本结束时结束。
     * After a fatal error (and in PHP 7.4 after `exit`) no destructor runs in time: a call that the script has left ends before the
     * next one, or with the script.
     */
    private static function endAbandoned(): void
    {
        $onStack = [];
        foreach (debug_backtrace(DEBUG_BACKTRACE_PROVIDE_OBJECT | DEBUG_BACKTRACE_IGNORE_ARGS) as $frame) {
            if (isset($frame['object']) && $frame['object'] instanceof self) {
                $onStack[$frame['object']->number] = true;
            }
        }
        foreach (array_reverse(self::$open, true) as $number => $fiber) {
            // 其他 Fiber 的栈不在这里。 The stack of another fiber is not to be seen from here.
            if (!isset($onStack[$number]) && ($fiber === null ? null : $fiber->get()) === self::fiber()) {
                self::end($number);
            }
        }
    }

    private static function fiber(): ?object
    {
        return PHP_VERSION_ID < 80100 ? null : Fiber::getCurrent();
    }

    /** @return mixed */
    private static function value(array $answer)
    {
        if (isset($answer['error'])) {
            throw Thrown::exception($answer['error']);
        }
        return $answer['value'];
    }
}
