<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\Attributes\DataProvider;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\SandboxTestCase;

/** What PHP can do to an object of ours without asking it: an answer or an error, the same on both faces, never a crash. */
final class ObjectAbuseTest extends SandboxTestCase
{
    private const EXCEPTIONS = ['Exception', 'ConfigException', 'TransportException', 'RefusedException', 'StoreException'];

    /**
     * @dataProvider deeds
     */
    #[DataProvider('deeds')]
    public function testADeedOnAnAccountIsAnAnswerOrAnError(string $deed, string $expected): void
    {
        self::assertSame($expected, $this->done('$app = RoutineTemplate::app($shop->appid); return ' . $deed . ';'), $deed);
    }

    public static function deeds(): array
    {
        return array_map(null, [
            '(clone $app)->templateId("known") . (clone $app == $app ? " equal" : "")',
            '(function () use ($app) { unset($app); return "gone"; })()',
            'serialize($app)',
            'serialize([1, [$app]])',
            'unserialize("O:19:\"RoutineTemplate\\\\App\":0:{}")',
            'json_encode($app)',
            'count((array) $app)',
            'implode(",", array_keys(get_object_vars($app)))',
            '(string) $app',
            '$app()',
            '$app[0]',
            '$app->appid',
            '(function () use ($app) { $app->appid = "x"; })()',
            '(function () use ($app) { foreach ($app as $member) { return "a member"; } return "none"; })()',
            'isset($app->appid) ? "set" : "not"',
            'new RoutineTemplate()',
            'new RoutineTemplate\App()',
            'get_class((new ReflectionClass("RoutineTemplate"))->newInstanceWithoutConstructor())',
            'unserialize("O:15:\"RoutineTemplate\":0:{}")',
            '(new ReflectionMethod($app, "send"))->invoke(new stdClass())',
            'in_array($app, [1, "x", null, $app], true)',
            '$app <=> RoutineTemplate::app("wx0000000000000000")',
            'WeakReference::create($app)->get() === $app',
            'array_map([$app, "templateId"], ["known", "other"])[1]',
            'usleep(0) . get_class(unserialize(serialize(new ArrayObject([$app]))))',
            'var_export(iterator_to_array(new ArrayIterator((array) $app)) === [], true)',
        ], [
            ' equal', 'gone', 'Exception', 'Exception', 'Exception', '{}', '1', '', 'Error', 'Error', 'Error', 'Error', 'Error',
            'none', 'not', 'Error', 'Error', 'RoutineTemplate', 'Exception', 'ReflectionException', '1', '1', '1', '', 'Exception', 'false',
        ]);
    }

    public function testAnAccountWhoseOnlyMemberWasTamperedWithIsAnotherAccountOrNone(): void
    {
        $report = $this->inAProcess('
            require ' . var_export(dirname(__DIR__) . '/support/Abuse/values.php', true) . ';
            $member = new ReflectionProperty("RoutineTemplate\App", "appid");
            if (PHP_VERSION_ID < 80100) { $member->setAccessible(true); }
            $seen = [];
            foreach (odd_values() as $name => $value) {
                if (strpos($name, "10 MB") === 0) { continue; }
                $app = RoutineTemplate::app($shop->appid);
                try {
                    $member->setValue($app, $value);
                    foreach ([$app, clone $app] as $object) { $object->stats(); $object->validate($shop->orderPaid, $shop->order); }
                    $seen[$name] = "answered";
                } catch (RoutineTemplate\Exception | ValueError | TypeError $thrown) {
                    $seen[$name] = get_class($thrown);
                }
            }
            return $seen;');
        self::assertGreaterThan(60, count($report));
    }

    /**
     * @dataProvider exceptions
     */
    #[DataProvider('exceptions')]
    public function testAnExceptionIsMadeAndTakenApartAsAnyOfPhp(string $class): void
    {
        $seen = $this->inAProcess('
            require ' . var_export(dirname(__DIR__) . '/support/Abuse/values.php', true) . ';
            $class = ' . var_export("RoutineTemplate\\$class", true) . ';
            $parent = "RuntimeException";
            $same = 0;
            // Whatever PHP answers for its own, it answers for ours.
            $become = static function (string $class, callable $deed) {
                try { $deed($class); return "done"; } catch (Throwable $thrown) { return preg_replace("/ .*/s", "", get_class($thrown)); }
            };
            foreach (odd_values() as $name => $value) {
                if (strpos($name, "10 MB") === 0) { continue; }
                foreach ([[$value], ["x", $value], ["x", 1, $value], ["x", 1, null, $value]] as $arguments) {
                    $deed = static function (string $class) use ($arguments) {
                        $exception = new $class(...$arguments);
                        $exception->getMessage(); $exception->getTraceAsString(); (string) $exception;
                        if (is_callable([$exception, "isAmbiguous"]) && $exception->isAmbiguous()) { throw new LogicException("ambiguous"); }
                    };
                    if ($become($class, $deed) !== $become($parent, $deed)) { return [$class, gettype($value), $become($class, $deed), $become($parent, $deed)]; }
                    $same++;
                }
                $deed = static function (string $class) use ($value) {
                    $exception = (new ReflectionClass($class))->newInstanceWithoutConstructor();
                    foreach (["message", "code", "ambiguous"] as $name) {
                        if (property_exists($exception, $name)) {
                            $member = new ReflectionProperty($exception, $name);
                            if (PHP_VERSION_ID < 80100) { $member->setAccessible(true); }
                            $member->setValue($exception, $value);
                        }
                    }
                    if (is_callable([$exception, "isAmbiguous"])) { $exception->isAmbiguous(); }
                    $exception->getMessage(); $exception->getCode(); $exception->getPrevious();
                };
                $become($class, $deed);
                $same++;
            }
            foreach ([
                static function (string $class) { clone new $class("x"); },
                static function (string $class) { if (unserialize(serialize(new $class("x", 7)))->getCode() !== 7) { throw new LogicException(); } },
                static function (string $class) { json_encode(new $class("x")); var_export(new $class("x"), true); print_r(new $class("x"), true); },
                static function (string $class) { $a = new $class("a"); $b = new $class("b", 1, $a); $a->__construct("c", 2, $b); throw $b; },
                static function (string $class) { try { throw new $class("a"); } finally { throw new $class("b"); } },
            ] as $index => $deed) {
                if (strpos($become($class, $deed), "RoutineTemplate") === 0 && $become($parent, $deed) === $parent) { $same++; continue; }
                if ($become($class, $deed) !== $become($parent, $deed)) { return [$index, $become($class, $deed), $become($parent, $deed)]; }
                $same++;
            }
            $read = unserialize("O:" . strlen($class) . ":\"$class\":1:{s:7:\"\0*\0code\";i:7;}");
            if ($class === "RoutineTemplate\TransportException") {
                $read = unserialize("O:" . strlen($class) . ":\"$class\":1:{s:12:\"\0*\0ambiguous\";a:0:{}}");
                if ($read->isAmbiguous()) { return "ambiguous by an empty array"; }
            }
            $extended = eval("return new class(\"x\") extends $class { public \$more = [1]; };");
            return $same + ($extended instanceof $class ? 1 : 0);');
        self::assertIsInt($seen, json_encode($seen));
        self::assertGreaterThan(250, $seen);
    }

    public static function exceptions(): array
    {
        return array_map(static fn (string $class): array => [$class], array_combine(self::EXCEPTIONS, self::EXCEPTIONS));
    }

    /**
     * @dataProvider finals
     */
    #[DataProvider('finals')]
    public function testTheClassesCannotBeExtended(string $class): void
    {
        $result = PhpProcess::run("class Mine extends $class {}");
        self::assertSame(255, $result->exitCode, $result->describe());
        self::assertMatchesRegularExpression('/final class/', $result->errors);
    }

    public static function finals(): array
    {
        return [['RoutineTemplate'], ['RoutineTemplate\App']];
    }

    /** What the code in a function returns, in a process of its own, or the class of what it throws. */
    private function done(string $code): string
    {
        $done = $this->inAProcess('try { return (function () use ($shop) { ' . $code . ' })(); } catch (Throwable $thrown) {
            for ($class = get_class($thrown); $class === "RoutineTemplate\ConfigException";) { return "ConfigException"; } return $class; }');
        return is_scalar($done) || $done === null ? (string) $done : (string) json_encode($done);
    }

    /** @return mixed */
    private function inAProcess(string $code)
    {
        return PhpProcess::run($this->shop->script('set_error_handler(static function ($level, $text) { throw new Error($text); });
            echo json_encode((static function () use ($shop) { ' . $code . ' })(), JSON_PARTIAL_OUTPUT_ON_ERROR);'), [], 120.0)->json();
    }
}
