<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Abuse;

use Closure;
use Error;
use ReflectionClass;
use ReflectionMethod;
use Throwable;

/** The ways in which PHP code calls a method, right and wrong ones, with good values. */
final class Ways
{
    /**
     * @param list<mixed> $good arguments for all parameters
     * @return array<string, Closure>
     */
    public static function of(ReflectionMethod $method, array $good, string $appid): array
    {
        $owner = Cases::owner($method, $appid);
        $callable = [$owner ?? $method->getDeclaringClass()->getName(), $method->getName()];
        $ways = [];
        for ($count = 0; $count <= count($good) + 2; $count++) {
            $ways["with $count arguments"] = static function () use ($callable, $good, $count) {
                return $callable(...array_slice(array_merge($good, ['surplus', 'more']), 0, $count));
            };
        }
        $ways['by call_user_func_array()'] = static function () use ($callable, $good) {
            return call_user_func_array($callable, $good);
        };
        $ways['by call_user_func()'] = static function () use ($callable, $good) {
            return call_user_func($callable, ...$good);
        };
        $ways['as a closure'] = static function () use ($callable, $good) {
            return Closure::fromCallable($callable)(...$good);
        };
        $ways['by array_map()'] = static function () use ($callable, $good) {
            return array_map($callable, ...array_map(static function ($value): array {
                return [$value];
            }, $good ?: [null]))[0];
        };
        $ways['with references'] = static function () use ($callable, $good) {
            $references = [];
            foreach ($good as &$value) {
                $references[] = &$value;
            }
            return call_user_func_array($callable, $references);
        };
        if ($owner === null) {
            $ways['by its name'] = static function () use ($callable, $good) {
                return ("$callable[0]::$callable[1]")(...$good);
            };
        } else {
            $ways['as if it were static'] = static function () use ($callable, $good) {
                return (get_class($callable[0]) . "::$callable[1]")(...$good);
            };
            $ways['on a clone'] = static function () use ($callable, $good) {
                return [clone $callable[0], $callable[1]](...$good);
            };
            $ways['on an object without an account'] = static function () use ($callable, $good) {
                $object = (new ReflectionClass($callable[0]))->newInstanceWithoutConstructor();
                return [$object, $callable[1]](...$good);
            };
        }
        return PHP_VERSION_ID < 80000 ? $ways : $ways + self::named($method, $callable, $good);
    }

    /**
     * Whether it is what PHP itself throws for such a call.
     *
     * @param list<string>|null $names
     */
    public static function mayThrow(Throwable $thrown, ?array $names): bool
    {
        return $names === null && get_class($thrown) === Error::class
            && preg_match('/^(Unknown named parameter|Named parameter .* overwrites|Non-static method|Cannot use positional)/', $thrown->getMessage()) === 1;
    }

    /**
     * @param list<mixed> $good
     * @return array<string, Closure>
     */
    private static function named(ReflectionMethod $method, array $callable, array $good): array
    {
        $all = [];
        foreach ($method->getParameters() as $index => $parameter) {
            $all[$parameter->getName()] = $good[$index];
        }
        $sets = ['all named' => $all, 'named in reverse' => array_reverse($all), 'an unknown name' => $all + ['surplus' => 'x']];
        foreach (array_keys($all) as $name) {
            $sets["named without \$$name"] = array_diff_key($all, [$name => 1]);
            $sets["only \$$name named"] = [$name => $all[$name]];
            $sets["\$$name twice"] = [reset($all), $name => $all[$name]];
        }
        return array_map(static function (array $arguments) use ($callable): Closure {
            return static function () use ($callable, $arguments) {
                return $callable(...$arguments);
            };
        }, $sets);
    }
}
