<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\TestCase;

/**
 * composer.json is what PIE, PHP's installer of extensions, reads: it must say what this source builds and packages.
 */
final class ComposerPackageTest extends TestCase
{
    private const ROOT = __DIR__ . '/../..';

    public function testItIsAnExtensionOfTheNameThatPhpLoads(): void
    {
        self::assertSame('php-ext', $this->composer()['type']);
        self::assertSame('routine_template', $this->composer()['php-ext']['extension-name']);
        self::assertStringContainsString('name = "routine_template"', (string) file_get_contents(self::ROOT . '/Cargo.toml'));
    }

    public function testItsVersionIsTheTagAloneSoThatNoSecondOneCanDisagree(): void
    {
        self::assertArrayNotHasKey('version', $this->composer());
    }

    public function testItAsksForThePhpsThatPackagesAreBuiltFor(): void
    {
        preg_match_all('/^(\d+\.\d+) [a-z]+ \d{8}$/m', (string) file_get_contents(self::ROOT . '/packaging/php-versions'), $packaged);
        self::assertNotEmpty($packaged[1]);
        $expected = implode(' || ', array_map(static fn (string $version): string => "~$version.0", $packaged[1]));
        self::assertSame($expected, $this->composer()['require']['php']);
    }

    public function testItPromisesOnlyWhatThePackagesHold(): void
    {
        $extension = $this->composer()['php-ext'];
        self::assertSame(['pre-packaged-binary'], $extension['download-url-method']);
        self::assertSame(['linux'], $extension['os-families']);
        self::assertTrue($extension['support-nts']);
        self::assertFalse($extension['support-zts']);
    }

    public function testItsLicenseIsTheCratesLicense(): void
    {
        self::assertStringContainsString('license = "' . $this->composer()['license'] . '"', (string) file_get_contents(self::ROOT . '/Cargo.toml'));
    }

    /** @return array<string, mixed> */
    private function composer(): array
    {
        return json_decode((string) file_get_contents(self::ROOT . '/composer.json'), true, 512, JSON_THROW_ON_ERROR);
    }
}
