<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\Attributes\Group;
use RoutineTemplate;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\SandboxTestCase;

/** The exceptions are ordinary PHP exceptions in everything that PHP code does with exceptions. */
final class ExceptionTest extends SandboxTestCase
{
    /** @group smoke */
    #[Group('smoke')]
    public function testTheyFormATreeUnderRuntimeException(): void
    {
        self::assertSame(\RuntimeException::class, get_parent_class(RoutineTemplate\Exception::class));
        foreach (['Config', 'Refused', 'Store', 'Transport'] as $name) {
            self::assertSame(RoutineTemplate\Exception::class, get_parent_class("RoutineTemplate\\{$name}Exception"));
        }
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testTheyKnowTheirFileLineAndTrace(): void
    {
        try {
            $line = __LINE__ + 1;
            RoutineTemplate::configure(['nonsense' => 1]);
            self::fail('nonsense was accepted');
        } catch (RoutineTemplate\Exception $exception) {
            self::assertSame(__FILE__, $exception->getFile());
            self::assertSame($line, $exception->getLine());
            self::assertSame('configure', $exception->getTrace()[0]['function']);
            self::assertSame('RoutineTemplate', $exception->getTrace()[0]['class']);
            self::assertNotSame('', $exception->getTraceAsString());
            self::assertStringContainsString(__FILE__, (string) $exception);
            self::assertNull($exception->getPrevious());
        }
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testEachCanBeMadeByUserCode(): void
    {
        foreach (
            [
                RoutineTemplate\Exception::class, RoutineTemplate\ConfigException::class,
                RoutineTemplate\TransportException::class, RoutineTemplate\StoreException::class, RoutineTemplate\RefusedException::class,
            ] as $class
        ) {
            $previous = new \LogicException('cause');
            $exception = new $class('message', 7, $previous);
            self::assertSame('message', $exception->getMessage());
            self::assertSame(7, $exception->getCode());
            self::assertSame($previous, $exception->getPrevious());
            self::assertSame(__FILE__, $exception->getFile());
            self::assertSame(__LINE__ - 5, $exception->getLine());
        }
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testATransportExceptionMadeByUserCodeIsNotAmbiguous(): void
    {
        self::assertFalse((new RoutineTemplate\TransportException('as a test double'))->isAmbiguous());
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testASubclassWithAConstructorOfItsOwnWorks(): void
    {
        $exception = new class ('order 10086') extends RoutineTemplate\TransportException {
            public string $order;

            public function __construct(string $order)
            {
                $this->order = $order;
                parent::__construct("not sent: $order", 3);
            }

            public function isAmbiguous(): bool
            {
                return true;
            }
        };
        self::assertSame('not sent: order 10086', $exception->getMessage());
        self::assertSame('order 10086', $exception->order);
        self::assertTrue($exception->isAmbiguous());
        try {
            throw $exception;
        } catch (RoutineTemplate\Exception $caught) {
            self::assertSame($exception, $caught);
        }
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testOneThrownInsideAFinallyKeepsTheFirstAsPrevious(): void
    {
        try {
            try {
                throw new \LogicException('first');
            } finally {
                RoutineTemplate::configure(['nonsense' => 1]);
            }
        } catch (RoutineTemplate\ConfigException $exception) {
            self::assertInstanceOf(\LogicException::class, $exception->getPrevious());
            return;
        }
        self::fail('nothing was thrown');
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testAnErrcodeThatNobodyKnowsAndAnOddErrmsgAreAnAnswerAllTheSame(): void
    {
        $this->sandbox->fault(self::SEND, 'errcode', ['errcode' => 99999, 'errmsg' => "a\0b %s %n \u{202E} 出错了", 'times' => 1]);
        $answer = $this->sendOrder();
        $this->assertIsAnswer($answer);
        self::assertSame(99999, $answer['errcode']);
        self::assertSame('misconfigured', $answer['outcome']);
        self::assertStringNotContainsString("\0", $answer['errmsg']);
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testTooFewAndTooManyArgumentsAreArgumentCountErrors(): void
    {
        foreach ([[], ['a'], ['a', 'b'], ['a', 'b', [], null, [], 'too many']] as $arguments) {
            try {
                RoutineTemplate::send(...$arguments);
                self::fail(count($arguments) . ' arguments were accepted');
            } catch (\ArgumentCountError $error) {
                self::assertStringContainsString('RoutineTemplate::send()', $error->getMessage());
            }
        }
    }

    public function testArgumentsMayBeNamed(): void
    {
        if (PHP_VERSION_ID < 80000) {
            self::markTestSkipped('Named arguments came with PHP 8.0.');
        }
        // In a process of its own: PHP 7.4 could not read this file otherwise.
        $this->assertDelivered(PhpProcess::run($this->shop->script('
            $options = ["state" => "trial"];
            $id = RoutineTemplate::queue(data: $shop->order, templateId: $shop->orderPaid, openid: $shop->openid, options: $options);
            RoutineTemplate::flush(timeoutMs: 20000);
            echo json_encode(RoutineTemplate::send(data: $shop->order, templateId: $shop->orderPaid, openid: $shop->openid, options: $options));
        '), [], 60.0)->json());
        self::assertCount(2, $this->shop->messages());
        self::assertSame(['trial', 'trial'], array_column($this->shop->messages(), 'miniprogram_state'));
    }
}
