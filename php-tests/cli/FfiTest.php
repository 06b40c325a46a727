<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use RoutineTemplate;
use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\Face;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\ProcessResult;
use RoutineTemplate\Tests\RunningPhp;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\TemporaryDirectory;

/** How the FFI face comes into a PHP process, and what it says where it cannot work. */
final class FfiTest extends SandboxTestCase
{
    /** A shop whose code asks first whether it can send. */
    private const ASK = '
        $canSend = extension_loaded("routine_template") || (class_exists(\RoutineTemplate::class)
            && class_exists(\RoutineTemplate\Ffi\Library::class, false) && \RoutineTemplate\Ffi\Library::problem() === null);
        try { RoutineTemplate::version(); $thrown = null; }
        catch (RoutineTemplate\ConfigException $e) { $thrown = $e->getMessage(); }
        echo json_encode([$canSend, $thrown, extension_loaded("routine_template") ? null : RoutineTemplate\Ffi\Library::problem()]);';

    protected function setUp(): void
    {
        Face::onlyFfi();
        parent::setUp();
    }

    public function testItMayBeRequiredMoreThanOnceAndFromAnywhere(): void
    {
        $copy = TemporaryDirectory::create();
        symlink(dirname(Environment::ffi()), $copy->path . '/vendor');
        $result = PhpProcess::run('
            require ' . var_export(Environment::ffi(), true) . ';
            require ' . var_export($copy->path . '/vendor/' . basename(Environment::ffi()), true) . ';
            ' . self::ASK);
        $copy->remove();
        self::assertSame([true, null, null], $result->json(), $result->describe());
    }

    public function testAnAutoloaderThatFindsTheOneClassIsEnough(): void
    {
        $this->accept();
        $result = PhpProcess::run('
            spl_autoload_register(static function (string $class) {
                if ($class === "RoutineTemplate") { require ' . var_export(Environment::ffi(), true) . '; }
            });
            ' . substr($this->shop->script('echo json_encode(RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order)["errcode"]);'), 5), [
                'auto_prepend_file' => '',
            ]);
        self::assertSame(0, $result->json(), $result->describe());
    }

    public function testTheLibraryMayBeInAnotherPlaceThanTheClasses(): void
    {
        $directory = TemporaryDirectory::create();
        $library = $directory->write('elsewhere.so', (string) file_get_contents(Environment::library()));
        self::assertSame([true, null, null], PhpProcess::run(self::ASK, ['library' => $library])->json());
        $directory->remove();
    }

    public function testALibraryThatIsMissingIsNamedWithTheLineThatNamesAnother(): void
    {
        [$canSend, $thrown, $problem] = PhpProcess::run(self::ASK, ['library' => '/nowhere/libroutine_template.so'])->json();
        self::assertFalse($canSend);
        self::assertSame($problem, $thrown);
        foreach (['/nowhere/libroutine_template.so', 'routine_template.library'] as $word) {
            self::assertStringContainsString($word, $problem);
        }
    }

    public function testAFileThatIsNoLibraryIsSaidToBeNone(): void
    {
        $directory = TemporaryDirectory::create();
        $file = $directory->write('libroutine_template.so', 'not a library');
        [$canSend, $thrown, $problem] = PhpProcess::run(self::ASK, ['library' => $file])->json();
        $directory->remove();
        self::assertFalse($canSend);
        self::assertSame($problem, $thrown);
        self::assertStringContainsString($file, $problem);
    }

    public function testTheReasonOfTheSystemIsPassedOn(): void
    {
        [, , $problem] = PhpProcess::run(self::ASK, ['library' => __FILE__])->json();
        self::assertStringContainsString('ELF', $problem);
    }

    public function testALibraryOfAnotherInterfaceIsRefusedWithBothNumbers(): void
    {
        $copy = TemporaryDirectory::create();
        foreach (array_merge([Environment::ffi()], glob(dirname(Environment::ffi()) . '/src/*.php')) as $file) {
            $text = str_replace('private const ABI = 1;', 'private const ABI = 977;', (string) file_get_contents($file));
            $copy->write(substr($file, strlen(dirname(Environment::ffi())) + 1), $text);
        }
        // As ThinkPHP does with every notice.
        $handler = 'set_error_handler(function ($code, $text) { throw new ErrorException($text); });';
        $result = PhpProcess::run($handler . self::ASK, [
            'auto_prepend_file' => $copy->path . '/' . basename(Environment::ffi()), 'library' => Environment::library(),
        ]);
        $copy->remove();

        [$canSend, $thrown, $problem] = $result->json();
        self::assertFalse($canSend);
        self::assertSame($problem, $thrown);
        foreach ([' 1，', '977', 'libroutine_template.so'] as $word) {
            self::assertStringContainsString($word, $problem);
        }
    }

    public function testAPhpWithoutFfiIsToldWhatItLacks(): void
    {
        $json = Environment::modules('json')['extension'];
        [$canSend, $thrown, $problem] = $this->runPhp($json, self::ASK, ['ffi.enable=1'])->json();
        if ($canSend) {
            self::markTestSkipped('This PHP has FFI built in.');
        }
        self::assertSame($problem, $thrown);
        self::assertStringContainsString('FFI', $problem);
    }

    public function testWhereFfiIsSwitchedOffEveryCallSaysSo(): void
    {
        [$canSend, $thrown, $problem] = PhpProcess::run(self::ASK, ['ffi.enable' => '0'])->json();
        self::assertFalse($canSend);
        self::assertSame($problem, $thrown);
        self::assertStringContainsString('ffi.enable', $problem);
    }

    public function testItDoesNothingWhereTheExtensionIsLoaded(): void
    {
        $extension = getenv('ROUTINE_TEMPLATE_EXTENSION');
        if ($extension === false || !is_file($extension)) {
            self::markTestSkipped('There is no extension for this PHP; ROUTINE_TEMPLATE_EXTENSION names one.');
        }
        $result = $this->runPhp([$extension], self::ASK . '
            echo json_encode((new ReflectionClass("RoutineTemplate"))->isInternal());');
        self::assertSame('[true,null,null]true', $result->output, $result->describe());
    }

    /**
     * @param list<string> $modules
     * @param list<string> $settings
     */
    private function runPhp(array $modules, string $code, array $settings = []): ProcessResult
    {
        $command = [PHP_BINARY, '-n', '-d', 'display_errors=stderr'];
        foreach ($modules as $module) {
            array_push($settings, "extension=$module");
        }
        foreach ($settings as $setting) {
            array_push($command, '-d', $setting);
        }
        $directory = TemporaryDirectory::create();
        $file = $directory->write('script.php', '<?php require ' . var_export(Environment::ffi(), true) . ';' . $code);
        return (new RunningPhp(array_merge($command, ['-f', $file]), $directory, 30.0, []))->wait();
    }
}
