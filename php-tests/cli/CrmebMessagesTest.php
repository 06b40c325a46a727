<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\Attributes\DataProvider;
use RoutineTemplate;
use RoutineTemplate\Tests\CrmebMessages;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;

/** Every message that CRMEB v5 builds, with the texts that real shops and buyers put into it, is accepted by the strict WeChat. */
final class CrmebMessagesTest extends SandboxTestCase
{
    private static ?Shop $one = null;

    // One shop for all of them, as in real life: a thousand accounts in one PHP request are refused.
    protected function setUp(): void
    {
        if (self::$one === null) {
            parent::setUp();
            self::$one = $this->shop;
        }
        $this->shop = self::$one;
        $this->sandbox = $this->shop->sandbox;
        RoutineTemplate::configure($this->shop->config());
    }

    public static function tearDownAfterClass(): void
    {
        self::$one = null;
    }

    /**
     * @dataProvider messages
     */
    #[DataProvider('messages')]
    public function testWeChatAcceptsTheMessageInFitMode(string $mark, string $content, array $data, string $link): void
    {
        $template = $this->shop->addTemplate($content);
        RoutineTemplate::registerTemplate($mark, $template, $content);

        $answer = RoutineTemplate::sendTemplate($this->shop->openid, $template, $link, $data);

        $this->assertDelivered($answer);
        $messages = $this->sandbox->messages(['appid' => $this->shop->appid, 'template_id' => $template]);
        self::assertCount(1, $messages);
        $sent = self::values($messages[0]);
        self::assertEqualsCanonicalizing(array_keys($data), array_keys($sent));
        foreach ($sent as $key => $value) {
            $this->assertMeansTheSame($key, $data[$key], $value);
        }
    }

    /**
     * @dataProvider messages
     */
    #[DataProvider('messages')]
    public function testWeChatAcceptsTheMessageWithoutAKnownTemplateToo(string $mark, string $content, array $data, string $link): void
    {
        $template = $this->shop->addTemplate($content);

        $this->assertDelivered(RoutineTemplate::send($this->shop->openid, $template, $data, $link));
    }

    public static function messages(): iterable
    {
        foreach (CrmebMessages::texts() as $name => $texts) {
            foreach (CrmebMessages::all(...$texts) as $mark => [$content, $data, $link]) {
                yield "$mark, $name" => [$mark, $content, $data, $link];
            }
        }
    }

    /**
     * Fitting must not change what an identifier or an amount says, and must keep the beginning of a text.
     *
     * @param mixed $before
     */
    private function assertMeansTheSame(string $key, $before, string $after): void
    {
        $before = (string) $before;
        if (preg_match('/^(character_string|phone_number)/', $key)) {
            self::assertSame($before, $after);
        } elseif (preg_match('/^(amount|number)/', $key)) {
            $number = static fn (string $text): string => preg_replace('/[^0-9.]/', '', $text);
            self::assertEqualsWithDelta((float) $number($before), (float) $number($after), 1e-9);
        } elseif (preg_match('/^(date|time)/', $key)) {
            self::assertSame($before, $after);
        } else {
            // What stays of a text begins as the text did: nothing but dropped characters and a cut at the end.
            $plain = static fn (string $text): string => preg_replace('/[^\p{Han}A-Za-z]/u', '', $text);
            self::assertTrue($plain($after) === '' || str_starts_with($plain($before), $plain($after)), "'$before' became '$after'");
        }
    }
}
