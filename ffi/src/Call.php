<?php

declare(strict_types=1);

namespace RoutineTemplate\Ffi;

use Throwable;

/**
 * 一次方法调用。需要应用的代码时，库停下来提问，由这里回答：应用的代码从不在库的函数内部运行。
 * One call of a method. Where it needs code of the application, the library stops and asks, and the reply comes from here: the
 * application's code never runs inside a function of the library.
 */
final class Call
{
    /** @var Library */
    private $library;

    /** @var Bulk|null */
    private $bulk;

    /** @var int|null 库中等待回答的调用 / the call that waits for a reply */
    private $waiting;

    private function __construct(Library $library, ?Bulk $bulk)
    {
        $this->library = $library;
        $this->bulk = $bulk;
    }

    /** 应用以 exit 结束时，让库中的调用有始有终。 Where the application has left by `exit`, the call in the library ends all the same. */
    public function __destruct()
    {
        $this->end();
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
        $library = Library::get();
        $answer = $library->call(Tagged::call($method, $appid, $arguments));
        if (isset($answer['ask'])) {
            $answer = (new self($library, null))->converse($answer);
        }
        return self::value($answer);
    }

    /**
     * 调用参数已加标签的方法。
     * Calls a method with tagged arguments.
     *
     * @param list<mixed> $arguments
     * @return mixed
     */
    public static function makeTagged(string $method, ?string $appid, array $arguments)
    {
        $library = Library::get();
        $answer = $library->call(Tagged::taggedCall($method, $appid, $arguments));
        if (isset($answer['ask'])) {
            $answer = (new self($library, null))->converse($answer);
        }
        return self::value($answer);
    }

    /**
     * 批量发送。
     * A bulk.
     *
     * @return mixed
     */
    public static function makeBulk(string $text, Bulk $bulk)
    {
        $library = Library::get();
        return self::value((new self($library, $bulk))->converse($library->call($text)));
    }

    private function converse(array $answer): array
    {
        while (isset($answer['ask'])) {
            $this->waiting = $answer['call'];
            try {
                $reply = $this->reply($answer);
            } catch (Throwable $thrown) {
                $this->end();
                throw $thrown;
            }
            $call = $this->waiting;
            $this->waiting = null;
            $answer = $this->library->resume($call, $reply);
        }
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

    private function end(): void
    {
        while ($this->waiting !== null) {
            $answer = $this->library->resume($this->waiting, 'false');
            $this->waiting = $answer['call'] ?? null;
        }
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
