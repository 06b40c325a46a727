<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Abuse;

use RuntimeException;

/** What the stubs say a method returns, and whether a value is that. */
final class DocumentedShape
{
    private string $text;
    private int $at = 0;

    private function __construct(string $text)
    {
        $this->text = $text;
    }

    /**
     * The checks by method: each answers what is wrong with a value, or null.
     *
     * @return array<string, callable(mixed): ?string>
     */
    public static function ofStubs(string $file): array
    {
        $source = (string) file_get_contents($file);
        preg_match_all('~/\*\*((?:(?!\*/).)*)\*/\s+public static function (\w+)\([^{]*\): ([\w|?\\\\]+)\s*\{~s', $source, $methods, PREG_SET_ORDER);
        $shapes = [];
        foreach ($methods as [, $comment, $name, $declared]) {
            $comment = preg_replace('~^\s*\* ?~m', '', $comment);
            $documented = preg_match('~^@return\s+(.*)~ms', $comment, $found) === 1 ? $found[1] : $declared;
            $shapes[$name] = (new self($documented))->union();
        }
        return $shapes;
    }

    /** @return callable(mixed): ?string */
    private function union(): callable
    {
        $checks = [$this->one()];
        while ($this->take('|')) {
            $checks[] = $this->one();
        }
        return static function ($value) use ($checks): ?string {
            $wrong = [];
            foreach ($checks as $check) {
                $wrong[] = $found = $check($value);
                if ($found === null) {
                    return null;
                }
            }
            return implode(', and ', $wrong);
        };
    }

    /** @return callable(mixed): ?string */
    private function one(): callable
    {
        if ($this->take('?')) {
            $check = $this->one();
            return static function ($value) use ($check): ?string {
                return $value === null ? null : $check($value);
            };
        }
        $name = $this->match('[\w\\\\-]+');
        if ($name === 'array' && $this->take('{')) {
            return $this->members();
        }
        if (($name === 'array' || $name === 'list') && $this->take('<')) {
            return $this->elements($name === 'list');
        }
        $is = [
            'int' => 'is_int', 'float' => 'is_float', 'string' => 'is_string', 'bool' => 'is_bool', 'array' => 'is_array', 'null' => 'is_null',
            'void' => 'is_null',
        ][$name] ?? null;
        return static function ($value) use ($name, $is): ?string {
            $good = $name === 'mixed' || ($name === 'false' ? $value === false : ($is === null ? $value instanceof $name : $is($value)));
            return $good ? null : 'no ' . $name . ' but ' . gettype($value);
        };
    }

    /** @return callable(mixed): ?string `array{…}` */
    private function members(): callable
    {
        $members = $optional = [];
        do {
            $name = $this->match('\w+');
            if ($this->take('?')) {
                $optional[$name] = true;
            }
            $this->match(':');
            $members[$name] = $this->union();
        } while ($this->take(','));
        $this->match('\}');
        return static function ($value) use ($members, $optional): ?string {
            if (!is_array($value)) {
                return 'no array but ' . gettype($value);
            }
            foreach (array_diff_key($members, $optional, $value) as $name => $check) {
                return "without member $name";
            }
            foreach ($value as $name => $member) {
                $wrong = isset($members[$name]) ? $members[$name]($member) : 'not documented';
                if ($wrong !== null) {
                    return "member $name: $wrong";
                }
            }
            return null;
        };
    }

    /** @return callable(mixed): ?string `list<…>` and `array<…, …>` */
    private function elements(bool $isList): callable
    {
        $check = $this->union();
        $key = null;
        if ($this->take(',')) {
            [$key, $check] = [$check, $this->union()];
        }
        $this->match('>');
        return static function ($value) use ($isList, $key, $check): ?string {
            if (!is_array($value)) {
                return 'no array but ' . gettype($value);
            }
            if ($isList && array_values($value) !== $value) {
                return 'no list';
            }
            foreach ($value as $name => $element) {
                // PHP makes ints of keys that are digits, whatever they were.
                $wrong = $check($element) ?? ($key === null || is_int($name) ? null : $key($name));
                if ($wrong !== null) {
                    return "[$name]: $wrong";
                }
            }
            return null;
        };
    }

    private function take(string $sign): bool
    {
        if (preg_match('~\G\s*' . preg_quote($sign, '~') . '~', $this->text, $found, 0, $this->at) !== 1) {
            return false;
        }
        $this->at += strlen($found[0]);
        return true;
    }

    private function match(string $pattern): string
    {
        if (preg_match("~\\G\\s*($pattern)~", $this->text, $found, 0, $this->at) !== 1) {
            throw new RuntimeException("Cannot read the type at: " . substr($this->text, $this->at, 200));
        }
        $this->at += strlen($found[0]);
        return $found[1];
    }
}
