<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Abuse;

use ReflectionMethod;
use Throwable;

/** Whether what became of a call is what the stubs and the documentation promise. */
final class Verdict
{
    private \stdClass $shop;

    /** @var array<string, callable(mixed): ?string> */
    private array $shapes;

    public function __construct(\stdClass $shop, string $stubs)
    {
        $this->shop = $shop;
        $this->shapes = DocumentedShape::ofStubs($stubs);
    }

    /**
     * Of a call that returned.
     *
     * @param mixed $returned
     * @return array{what: string, fault?: string}
     */
    public function ofReturned(ReflectionMethod $method, $returned): array
    {
        $outcome = ['what' => gettype($returned)];
        $wrong = ($this->shapes[$method->getName()])($returned);
        if ($wrong !== null) {
            $outcome['fault'] = 'is not what the stubs say: ' . $wrong;
        } elseif (is_array($returned)) {
            $outcome['what'] .= ' ' . ($returned['errcode'] ?? '');
            // Keys of messages are the caller's own, whatever they are.
            $text = json_encode($method->getName() === 'sendMany' ? array_values($returned) : $returned);
            if ($text === false) {
                $outcome['fault'] = 'is no JSON: ' . json_last_error_msg();
            } elseif ($this->hasSecret($text)) {
                $outcome['fault'] = 'shows a secret';
            }
        }
        return $outcome;
    }

    /**
     * Of a call that threw.
     *
     * @param list<string>|null $names what the complaint may call its cause; null where the call itself is wrong
     * @return array{what: string, message?: string, fault?: string}
     */
    public function ofThrown(Throwable $thrown, ?array $names): array
    {
        $class = get_class($thrown);
        $message = $thrown->getMessage();
        $outcome = ['what' => $class, 'message' => $this->withoutIds($message)];
        $isOfValue = $thrown instanceof \DomainException && strncmp($message, 'from ', 5) === 0;
        // PHP's own complaints: about a function of the application that takes other arguments, and a generator that was read before.
        $isOfPhp = $thrown instanceof \ArgumentCountError && strpos($message, 'RoutineTemplate') === false
            || $message === 'Cannot traverse an already closed generator';
        if ($isOfValue || $isOfPhp) {
            return ['what' => 'what the value threw'];
        }
        $isOurs = $thrown instanceof \RoutineTemplate\Exception;
        if (!$isOurs && !$thrown instanceof \TypeError && !$thrown instanceof \ValueError && !Ways::mayThrow($thrown, $names)) {
            $outcome['fault'] = 'is no documented exception';
        } elseif ($message === '' || preg_match('//u', $message) !== 1 || strlen($message) > 2000) {
            $outcome['fault'] = 'has a bad message';
        } elseif ($this->hasSecret($message . $thrown->getTraceAsString())) {
            $outcome['fault'] = 'shows a secret';
        } elseif ($names !== null && (!$isOurs || $thrown instanceof \RoutineTemplate\ConfigException) && !self::isNamed($names, $message)) {
            $outcome['fault'] = 'names none of ' . implode(', ', $names);
        }
        return $outcome;
    }

    /** @param list<string> $names */
    private static function isNamed(array $names, string $message): bool
    {
        // It quotes the member that nobody knows and lists those that there are, or says how another account is reached.
        if (preg_match('/没有(名为|选项|条件)|“.*”.*不可用|请用 RoutineTemplate::app/u', $message) === 1) {
            return true;
        }
        foreach ($names as $name) {
            if (preg_match('/(?<![a-zA-Z_])' . preg_quote($name, '/') . '(?![a-zA-Z_])/i', $message) === 1) {
                return true;
            }
        }
        return false;
    }

    private function hasSecret(string $text): bool
    {
        foreach ($this->shop->secrets as $secret) {
            if (strpos($text, $secret) !== false) {
                return true;
            }
        }
        return false;
    }

    /** The same for every shop, so that two faces can be compared. */
    public function withoutIds(string $message): string
    {
        $ids = [$this->shop->appid => 'APPID', $this->shop->openid => 'OPENID', $this->shop->orderPaid => 'TEMPLATE', getcwd() => 'DIRECTORY'];
        return (string) preg_replace('/rid: \S+|line \d+/', '', strtr($message, $ids));
    }
}
