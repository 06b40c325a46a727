<?php

// 没有 strict_types：应用的函数得到的参数，与由 PHP 自带的函数调用时一样可以转换。
// Without strict_types: a callable of the application gets its arguments as from a function of PHP, converted where it has types.

namespace RoutineTemplate\Ffi;

use Generator;
use Traversable;

/** sendMany() 在 PHP 一侧：消息、函数、结果。 The PHP side of sendMany(): messages, callables, answers. */
final class Bulk
{
    /** @var Generator */
    private $messages;

    /** @var bool */
    private $begun = false;

    /** @var bool 结果是否沿用消息的键 / whether the answers have the keys of the messages */
    private $byKey;

    /** @var int|null */
    private $total;

    /** @var callable|null */
    private $each;

    /** @var callable|null */
    private $progress;

    /** @var array<int, mixed> 尚无结果的消息的键 / keys of messages without an answer, by position */
    private $keys = [];

    /** @var int */
    private $position = 0;

    /** @var array<array-key, mixed> */
    private $answers = [];

    private function __construct(iterable $messages, ?callable $each, ?callable $progress)
    {
        $this->byKey = is_array($messages);
        $this->total = is_array($messages) ? count($messages) : null;
        $this->messages = self::oneByOne($messages);
        $this->each = $each;
        $this->progress = $progress;
    }

    /**
     * sendMany() 的全部。
     * All of sendMany().
     *
     * @param list<mixed> $arguments
     */
    public static function send(?string $appid, array $arguments): array
    {
        [$messages, $options] = $arguments + [null, []];
        $callables = ['each' => null, 'progress' => null];
        foreach (is_array($options) ? $callables : [] as $name => $none) {
            $callables[$name] = Callables::of($options[$name] ?? null);
            if ($callables[$name] !== null) {
                unset($options[$name]);
            }
        }
        if (isset($arguments[1])) {
            $arguments[1] = $options;
        }
        if (!is_array($messages) && !$messages instanceof Traversable) {
            return Call::make('sendMany', $appid, $arguments);
        }
        $bulk = new self($messages, $callables['each'], $callables['progress']);
        $more = ['bulk' => ['each' => $bulk->each !== null, 'progress' => $bulk->progress !== null]];
        $arguments[0] = null;
        $counts = Call::makeBulk($appid, $arguments, $more, $bulk);
        return $bulk->each === null ? $bulk->answers : $counts;
    }

    /** 下一条消息，给库的 JSON。 The next message, as JSON for the library. */
    public function next(): string
    {
        if ($this->begun) {
            $this->messages->next();
        }
        $this->begun = true;
        if (!$this->messages->valid()) {
            return 'null';
        }
        [$key, $message] = $this->messages->current();
        $position = $this->position++;
        $this->keys[$position] = is_int($key) || is_string($key) ? $key : $position;
        if ($this->each === null) {
            // 结果按消息的次序。 Answers stand in the order of the messages.
            $this->answers[$this->byKey ? $key : $position] = null;
        }
        return Tagged::message($key, $message);
    }

    /** @param list<array{position: int, answer: array, exception: ?array}> $ended 已有结果的消息 / messages that have ended */
    public function take(array $ended): void
    {
        foreach ($ended as $row) {
            $key = $this->keys[$row['position']];
            unset($this->keys[$row['position']]);
            $answer = $row['answer'];
            $answer['exception'] = $row['exception'] === null ? null : Thrown::exception($row['exception']);
            if ($this->each !== null) {
                ($this->each)($answer, $key);
            } else {
                $this->answers[$this->byKey ? $key : $row['position']] = $answer;
            }
        }
    }

    /** 告诉应用进度。 Tells the application how far it is. */
    public function progress(int $done): void
    {
        ($this->progress)($done, $this->total);
    }

    /** 只在需要时取下一条。 The next one is asked for when it is wanted, never before. */
    private static function oneByOne(iterable $messages): Generator
    {
        foreach ($messages as $key => $message) {
            yield [$key, $message];
        }
    }
}
