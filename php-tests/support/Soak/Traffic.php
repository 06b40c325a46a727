<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Soak;

use RoutineTemplate\Tests\Sandbox;
use RoutineTemplate\Tests\Shop;

/** What visitors of a shop do, in a mix, and what they are told; whoever gets no answer asks again, as a payment's notice does. */
final class Traffic
{
    /** How many of a hundred requests do this. */
    private const MIX = [
        'queue' => 30, 'send' => 20, 'sendMany' => 3, 'recordGrants' => 22,
        'status' => 9, 'deliveries' => 5, 'grants' => 5, 'accessToken' => 4, 'stats' => 2,
    ];
    private const BUYERS = 40;
    private const BULK = 8;

    private Shop $shop;
    private Sandbox $sandbox;
    private Visitors $visitors;
    private Books $books;

    /** @var list<string> */
    private array $templates;

    /** @var list<string> */
    private array $buyers = [];

    /** @var list<array> the requests that were not answered */
    private array $unanswered = [];

    private int $number = 0;
    public int $requests = 0;
    public int $repeated = 0;
    public int $storeExceptions = 0;

    /** @param list<string> $templates */
    public function __construct(Shop $shop, Sandbox $sandbox, Visitors $visitors, Books $books, array $templates)
    {
        $this->shop = $shop;
        $this->sandbox = $sandbox;
        $this->visitors = $visitors;
        $this->books = $books;
        $this->templates = $templates;
        for ($i = 0; $i < self::BUYERS; $i++) {
            $this->buyers[] = $openid = str_pad("oSoakBuyer$i", 28, '_');
            $shop->addUser($openid);
        }
    }

    /** One more request, chosen by the dice. */
    public function request(): void
    {
        $dice = mt_rand(1, array_sum(self::MIX));
        foreach (self::MIX as $what => $share) {
            $dice -= $share;
            if ($dice <= 0) {
                $this->send($this->{"new" . ucfirst($what)}());
                return;
            }
        }
    }

    /** Asks again what was not answered; whether anything was there. */
    public function repeat(): bool
    {
        $again = $this->unanswered;
        $this->unanswered = [];
        foreach ($again as $request) {
            $this->repeated++;
            $this->send($request);
        }
        return $again !== [];
    }

    private function send(array $request): void
    {
        $this->requests++;
        $this->visitors->ask('shop.php', $request, function (int $status, string $body) use ($request): void {
            $answer = $status === 200 ? json_decode($body, true) : null;
            // A worker that is killed may have written the head of its answer already.
            if ($answer !== null) {
                $this->books->answered($request, $answer['answer'], $answer['recorded']);
                return;
            }
            if ($status === 503) {
                $this->storeExceptions++;
                $this->books->told("StoreException: $body");
            } elseif (!in_array($status, [0, 200, 502, 504], true)) {
                $this->books->fault("{$request['do']}: status $status $body");
                return;
            }
            $this->unanswered[] = $request;
        });
    }

    private function newQueue(): array
    {
        $messages = [$this->message('q')];
        if (mt_rand(0, 3) === 0) {
            $messages[] = $this->message('d', ['delay' => 2]);
        }
        if (mt_rand(0, 9) === 0) {
            $messages[] = $this->message('e', ['expires' => 5]);
        }
        return ['do' => 'queue', 'messages' => $messages];
    }

    private function newSend(): array
    {
        return ['do' => 'send', 'messages' => [$this->message('s')]];
    }

    private function newSendMany(): array
    {
        return ['do' => 'sendMany', 'messages' => array_map(fn (): array => $this->message('m'), range(1, self::BULK))];
    }

    /** The buyer allows everything in the popup; WeChat pushes that by itself, and the front end tells the shop. */
    private function newRecordGrants(): array
    {
        $openid = $this->buyer();
        $chosen = $this->sandbox->post('choose', [
            'appid' => $this->shop->appid, 'openid' => $openid, 'templates' => array_fill_keys($this->templates, 'accept'), 'place' => 'popup',
        ]);
        $this->books->accepted($openid, $this->templates);
        return ['do' => 'recordGrants', 'openid' => $openid, 'result' => $chosen['result'], 'key' => 'popup' . ++$this->number];
    }

    private function newStatus(): array
    {
        $id = $this->books->someId();
        return $id === null ? $this->newStats() : ['do' => 'status', 'id' => $id];
    }

    private function newDeliveries(): array
    {
        return ['do' => 'deliveries', 'openid' => $this->buyer()];
    }

    private function newGrants(): array
    {
        return ['do' => 'grants', 'openid' => $this->buyer(), 'template' => $this->templates[0]];
    }

    private function newAccessToken(): array
    {
        return ['do' => 'accessToken'];
    }

    private function newStats(): array
    {
        return ['do' => 'stats'];
    }

    /** @return array{string, string, string, array} openid, template, name and options */
    private function message(string $kind, array $options = []): array
    {
        $message = [$this->buyer(), $this->templates[array_rand($this->templates)], $kind . ++$this->number, $options];
        $this->books->asked(...$message);
        return $message;
    }

    private function buyer(): string
    {
        return $this->buyers[mt_rand(0, self::BUYERS - 1)];
    }
}
