<?php

// What abuse passes beyond odd-values.php: values that run code of their own, each made anew for its call, because a generator is
// read once and a destructor runs once. Loaded by the process that passes them.
// phpcs:disable PSR1.Classes.ClassDeclaration, PSR1.Files.SideEffects

use RoutineTemplate\Tests\Abuse\Places;

require_once __DIR__ . '/../odd-values.php';

if (PHP_VERSION_ID >= 80200) {
    // Older versions cannot read it.
    eval('final readonly class Fixed { public function __construct(public string $value = "x") {} }');
}

/** Calls what it is given wherever PHP itself calls an object. */
class Runs implements IteratorAggregate, JsonSerializable
{
    /** @var callable */
    private $code;

    public function __construct(callable $code)
    {
        $this->code = $code;
    }

    public function __toString(): string
    {
        return (string) ($this->code)();
    }

    public function __get(string $name)
    {
        return ($this->code)();
    }

    public function __invoke(...$arguments)
    {
        return ($this->code)();
    }

    public function getIterator(): Iterator
    {
        yield 'openid' => ($this->code)();
    }

    #[ReturnTypeWillChange]
    public function jsonSerialize()
    {
        return ($this->code)();
    }

    /** @return mixed */
    private function hidden()
    {
        return ($this->code)();
    }
}

/** Runs code where its last owner lets go of it. */
class RunsAtItsEnd extends Runs
{
    private bool $ended = false;

    public function __destruct()
    {
        if (!$this->ended) {
            $this->ended = true;
            $this();
        }
    }
}

class Hides
{
    public $thing1 = 'x';
    protected $thing2 = 'y';
    private $thing3 = 'z';
    public int $never;
}

/** @return array<string, Closure(): mixed> name => what makes the value */
function abuse_values(): array
{
    $values = [];
    foreach (odd_values() as $name => $value) {
        // 10 MB, or 20 000 messages, in each of hundreds of places would measure the machine.
        if (strncmp($name, '10 MB', 5) !== 0 && $name !== 'many keys' && $name !== 'generator') {
            $values[$name] = static function () use ($value) {
                return $value;
            };
        }
    }
    return $values + abuse_plain_values() + abuse_running_values();
}

/** Those that are data. */
function abuse_plain_values(): array
{
    $first = ['thing1' => 'x'];
    $second = ['thing1' => &$first];
    $first['thing2'] = &$second;
    $thousand = [];
    for ($i = 0; $i < 1000; $i++) {
        $thousand = ['thing1' => $thousand];
    }
    $values = [
        '1 MB' => str_repeat('果', 350000),
        '1 MB of NUL' => str_repeat("\0", 1000000),
        'many keys' => array_fill_keys(array_map(static fn (int $i): string => "thing$i", range(1, 10500)), 'x'),
        'the text 0' => '0',
        'minus one' => -1,
        'a negative text' => '-1',
        'an int between blanks' => ' 12 ',
        'beyond an int' => '9223372036854775808',
        'a decimal' => '1.5',
        'the text null' => 'null',
        'an opened brace' => '{',
        'an XML bomb' => '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><xml><Event>&c;</Event></xml>',
        'a thousand deep' => $thousand,
        'two arrays in each other' => $first,
        'null in a list' => [null],
        'false in a list' => [false],
        'an array with holes' => array_diff_key(['a', 'b', 'c'], [1 => 0]),
        'an emptied array' => array_diff_key(range(1, 100), range(1, 100)),
        'hidden properties as keys' => (array) new Hides(),
        'an object with numbers for names' => (object) ['x', 7 => 'y', '' => 'z'],
        'an object that refers to itself in an array' => (static function () {
            $object = new stdClass();
            $object->thing1 = [$object, ['value' => $object]];
            return $object;
        })(),
        'a method by its name' => [new Runs('time'), '__invoke'],
        'a private method' => [new Runs('time'), 'hidden'],
        'a method that is none' => [new Runs('time'), 'nowhere'],
        'a static method by its name' => ['DateTime', 'getLastErrors'],
        'a function by its name' => 'phpversion',
        'ArrayObject of an object' => new ArrayObject(new Hides()),
        'ArrayIterator' => new ArrayIterator(['openid' => 'x']),
        'SplObjectStorage' => new SplObjectStorage(),
        'SplFixedArray' => SplFixedArray::fromArray(['x', 'y']),
        'EmptyIterator' => new EmptyIterator(),
        'anonymous class' => new class () extends stdClass {
            public $thing1 = 'x';
        },
        'WeakReference' => WeakReference::create(new stdClass()),
        'DateInterval' => new DateInterval('P1D'),
        'directory' => opendir(__DIR__),
        'stream context' => stream_context_create(),
        'an account' => RoutineTemplate::app('wx0123456789abcdef'),
        'an exception of ours' => new RoutineTemplate\TransportException("\xff"),
        'a class of ours by Reflection' => new ReflectionClass('RoutineTemplate\App'),
    ];
    $values['SimpleXMLElement'] = function_exists('simplexml_load_string') ? simplexml_load_string('<xml><Event>e</Event></xml>') : null;
    $values['a readonly object'] = PHP_VERSION_ID >= 80200 ? new Fixed() : null;
    $values['a fiber'] = PHP_VERSION_ID >= 80100 ? new Fiber('time') : null;
    return array_map(static function ($value): Closure {
        return static function () use ($value) {
            return $value;
        };
    }, $values) + [
        '$GLOBALS' => static function () {
            return $GLOBALS;
        },
    ];
}

/** Those that are code, by what it does and where it stands. */
function abuse_running_values(): array
{
    $codes = [
        'throws' => static function () {
            throw new DomainException('from the value');
        },
        'exits' => static function () {
            exit(0);
        },
        'calls RoutineTemplate' => static function () {
            return Places::again();
        },
        'returns an array' => static function () {
            return ['openid' => 'x'];
        },
        'returns a text' => static function () {
            return 'x';
        },
    ];
    $values = [
        'a closure that takes a reference' => static function () {
            return static function (&$given) {
                $given = 'x';
            };
        },
        'a closure that wants more arguments' => static function () {
            return static function ($a, $b, $c, $d) {
            };
        },
        'a finished generator' => static function () {
            $generator = (static function () {
                yield 1;
            })();
            $generator->next();
            return $generator;
        },
        'a generator with arrays for keys' => static function () {
            return (static function () {
                yield [] => ['openid' => 'x'];
                yield 1.5 => 'x';
                yield 'x' => null;
            })();
        },
        'a generator without end' => static function () {
            return (static function () {
                for ($i = 0; $i < 10500; $i++) {
                    yield 'x' => $i;
                }
            })();
        },
        'a generator of references' => static function () {
            return (static function & () {
                $value = ['openid' => 'x'];
                yield 'List' => $value;
            })();
        },
    ];
    foreach ($codes as $does => $code) {
        $values["a closure that $does"] = static function () use ($code) {
            // By itself, so that it dies with the call.
            return static function (...$given) use ($code) {
                return $code();
            };
        };
        $values["an object that $does"] = static function () use ($code) {
            return new Runs($code);
        };
        $values["a generator that $does"] = static function () use ($code) {
            return (static function () use ($code) {
                yield 'x' => $code();
            })();
        };
        $values["a generator that $does in the end"] = static function () use ($code) {
            return (static function () use ($code) {
                try {
                    yield 'Event' => 'x';
                } finally {
                    $code();
                }
            })();
        };
        $values["an array of what $does"] = static function () use ($code) {
            return ['thing1' => new Runs($code), 'openid' => new Runs($code), 'value' => new Runs($code)];
        };
        if ($does !== 'exits') {
            $values["an object that $does in the end"] = static function () use ($code) {
                return new RunsAtItsEnd($code);
            };
            $values["an array of what $does in the end"] = static function () use ($code) {
                return ['thing1' => new RunsAtItsEnd($code)];
            };
        }
    }
    return $values;
}
