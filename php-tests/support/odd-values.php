<?php

// Values of every type that PHP has, and of every kind that PHP code passes by mistake. A file of its own, loaded by
// the process that passes them: a closure or a resource cannot be handed to another one.
// phpcs:disable PSR1.Classes.ClassDeclaration, PSR1.Files.SideEffects

if (PHP_VERSION_ID >= 80100) {
    // Older versions cannot read it.
    eval('enum Suit: string { case Hearts = "H"; } enum Pure { case One; }');
}

class Text
{
    public function __toString(): string
    {
        return '云南苹果';
    }
}

class Throws
{
    public function __toString(): string
    {
        throw new DomainException('from __toString');
    }
}

class Json implements JsonSerializable
{
    #[ReturnTypeWillChange]
    public function jsonSerialize()
    {
        throw new DomainException('from jsonSerialize');
    }
}

class Typed
{
    public int $value;
    public ?string $color = null;
}

class Getter
{
    public function __get(string $name)
    {
        throw new DomainException('from __get');
    }
}

class Offsets implements ArrayAccess, IteratorAggregate, Countable
{
    public function offsetExists($offset): bool
    {
        throw new DomainException('from offsetExists');
    }

    #[ReturnTypeWillChange]
    public function offsetGet($offset)
    {
        throw new DomainException('from offsetGet');
    }

    public function offsetSet($offset, $value): void
    {
    }

    public function offsetUnset($offset): void
    {
    }

    public function getIterator(): Iterator
    {
        throw new DomainException('from getIterator');
    }

    public function count(): int
    {
        return 3;
    }
}

/** @return array<string, mixed> name => value */
function odd_values(): array
{
    return odd_scalars() + odd_texts() + odd_arrays() + odd_objects();
}

function odd_scalars(): array
{
    return [
        'null' => null,
        'true' => true,
        'false' => false,
        'zero' => 0,
        'minus zero' => -0.0,
        'int' => 42,
        'PHP_INT_MAX' => PHP_INT_MAX,
        'PHP_INT_MIN' => PHP_INT_MIN,
        'float' => 1.5,
        'NaN' => NAN,
        'INF' => INF,
        '-INF' => -INF,
        'tiny' => 1e-308,
        'huge' => 1.7976931348623157e308,
    ];
}

function odd_texts(): array
{
    return [
        'empty' => '',
        'blank' => '   ',
        'text' => '云南苹果',
        'NUL' => "a\0b",
        'only NUL' => "\0",
        'GBK' => "\xd4\xc6\xc4\xcf",
        'broken UTF-8' => "\xff\xfe\x80",
        'cut UTF-8' => "果\xe6\x9e",
        'overlong UTF-8' => "\xc0\xaf",
        'surrogate' => "\xed\xa0\x80",
        'beyond Unicode' => "\xf4\x90\x80\x80",
        '10 MB' => str_repeat('果', 3500000),
        '10 MB of NUL' => str_repeat("\0", 10000000),
        '10 MB of marks' => 'e' . str_repeat("\u{301}", 5000000),
        'numeric' => '12',
        'octal' => '0777',
        'exponent' => '1e5',
        'JSON' => '{"thing1":{"value":"x"}}',
        'broken JSON' => '{"thing1":',
        'JSON list' => '["x"]',
        'JSON scalar' => '12',
        'deep JSON' => str_repeat('{"thing1":', 10000) . '1' . str_repeat('}', 10000),
        'huge JSON number' => '{"number1":' . str_repeat('9', 5000) . '}',
        'JSON with a lone surrogate' => '{"thing1":"\ud800"}',
        'format' => '%s%n%x',
        'path' => '../../../etc/passwd',
        'CRLF' => "a\r\nHost: evil\r\n\r\n",
        'query' => 'a&access_token=b#c?d',
    ];
}

function odd_arrays(): array
{
    $itself = ['thing1' => 'x'];
    $itself['thing2'] = &$itself;
    $deep = 'x';
    for ($i = 0; $i < 10000; $i++) {
        $deep = ['thing1' => $deep];
    }
    $reference = '商品';
    return [
        'empty array' => [],
        'list' => ['x', 'y'],
        'int keys' => [7 => 'x', -1 => 'y', PHP_INT_MAX => 'z'],
        'mixed keys' => ['thing1' => 'x', 0 => 'y'],
        'empty key' => ['' => 'x'],
        'GBK key' => ["\xd4\xc6" => 'x'],
        'NUL key' => ["thing1\0" => 'x'],
        'long key' => [str_repeat('k', 1000000) => 'x'],
        'many keys' => array_fill_keys(array_map(static fn (int $i): string => "thing$i", range(1, 20000)), 'x'),
        'references' => ['thing1' => &$reference, 'thing2' => &$reference],
        'itself' => $itself,
        'deep' => $deep,
        'value is an array' => ['thing1' => ['value' => ['value' => 'x']]],
        'value is null' => ['thing1' => ['value' => null]],
        'no value' => ['thing1' => []],
        'only color' => ['thing1' => ['color' => 'red']],
        'an array of odd things' => [
            'thing1' => static fn (): int => 1,
            'thing2' => NAN,
            'thing3' => new Text(),
            'thing4' => PHP_VERSION_ID >= 80100 ? Suit::Hearts : null,
            'thing5' => fopen('php://memory', 'r'),
        ],
    ];
}

function odd_objects(): array
{
    $itself = new stdClass();
    $itself->me = $itself;
    $itself->thing1 = 'x';
    $deep = 'x';
    for ($i = 0; $i < 10000; $i++) {
        $deep = (object) ['value' => $deep];
    }
    $closed = fopen('php://memory', 'r');
    fclose($closed);
    return [
        'stdClass' => (object) ['thing1' => 'x'],
        'empty stdClass' => new stdClass(),
        'stdClass with itself' => $itself,
        'deep stdClass' => $deep,
        'uninitialised property' => new Typed(),
        'magic property' => new Getter(),
        'ArrayObject' => new ArrayObject(['thing1' => 'x']),
        'ArrayAccess' => new Offsets(),
        'Stringable' => new Text(),
        'throws' => new Throws(),
        'JsonSerializable' => new Json(),
        'closure' => static fn (): string => 'x',
        'first-class callable' => Closure::fromCallable('strlen'),
        'generator' => (static function (): Generator {
            yield 'thing1' => 'x';
        })(),
        'DateTime' => new DateTimeImmutable('2026-11-21'),
        'exception' => new Exception('x'),
        'resource' => fopen('php://memory', 'r'),
        'closed resource' => $closed,
    ]
        + (PHP_VERSION_ID >= 80000 ? ['WeakMap' => new WeakMap()] : [])
        + (PHP_VERSION_ID >= 80100 ? ['enum' => Suit::Hearts, 'pure enum' => Pure::One] : []);
}
