<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;
use RoutineTemplate\Tests\Abuse\Matrix;
use RoutineTemplate\Tests\Face;

/**
 * Every PHP type in every place of every method: an answer of the documented shape, or an exception that names the place; never a
 * crash, a hang, a remark of PHP, a secret that shows, or a changed argument; and the same on both faces.
 */
final class AbuseTest extends TestCase
{
    /**
     * @dataProvider classes
     */
    #[DataProvider('classes')]
    public function testEveryValueInEveryPlaceOfEveryMethodEndsAsTheStubsSay(string $class, int $least): void
    {
        $matrix = Matrix::of($class);

        $faults = $matrix->faults();
        self::assertSame([], array_slice($faults, 0, 30), count($faults) . ' of ' . count($matrix->outcomes) . ' cases');
        self::assertGreaterThan($least, count($matrix->outcomes));
        if (Face::isFfi()) {
            $extension = Face::withExtension(static fn (): Matrix => Matrix::of($class));
            $differences = $extension === null ? [] : $extension->differences($matrix);
            self::assertSame([], array_slice($differences, 0, 30), count($differences) . ' cases differ from the extension');
        }
        fwrite(STDERR, "\n$class: " . count($matrix->outcomes) . " cases in {$matrix->processes} processes\n");
    }

    public function testRepeatingItAllNeitherKeepsMemoryOfPhpNorOfTheProcess(): void
    {
        $rounds = Matrix::repeated('RoutineTemplate', 4);

        // What is kept for the life of a process is there after the first round, and what is kept of names after the second.
        self::assertGreaterThan(5000, $rounds[0]['calls']);
        self::assertLessThan(65_536, $rounds[3]['memory'] - $rounds[1]['memory'], json_encode($rounds));
        self::assertLessThan(8 << 20, $rounds[3]['resident'] - $rounds[1]['resident'], json_encode($rounds));
    }

    public static function classes(): array
    {
        return ['RoutineTemplate' => ['RoutineTemplate', 30000], 'RoutineTemplate\App' => ['RoutineTemplate\App', 8000]];
    }
}
