<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use RoutineTemplate\Tests\Documentation;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;

/** The code that docs/migration.md puts in the place of other libraries' sends, and its token classes, as those libraries call them. */
final class MigrationPageTest extends SandboxTestCase
{
    private const PAGE = 'docs/migration.md';

    /** What the lines of the page find in the shop that they stand in. */
    private const SHOP = '
        final class Log { public static function error(string $text) { echo "[$text]"; } }
        $openid = $shop->openid; $templateId = $shop->orderPaid; $data = $dataKey = $shop->order; $orderId = 1;
        $link = $page = "pages/order_details/index?order_id=1"; $url = "https://shop.example.com/order/1"; $miniAppid = $appid = $shop->appid;
        $body = ["touser" => $openid, "template_id" => $templateId, "data" => $data];
        ';

    public function testBothLanguagesShowTheSameCode(): void
    {
        self::assertSame(Documentation::withoutComments(self::PAGE), Documentation::withoutComments('docs/migration.zh-CN.md'));
        self::assertSame(Documentation::changed(self::PAGE), Documentation::changed('docs/migration.zh-CN.md'));
        self::assertCount(5, Documentation::php(self::PAGE));
        self::assertCount(7, Documentation::changed(self::PAGE));
    }

    public function testTheLinesForMiniProgramsSendTheSameMessage(): void
    {
        [$crmeb, , $four, , $six, $curl] = Documentation::changed(self::PAGE);
        $output = $this->printedBy('$config = ["app_id" => $shop->appid, "secret" => $shop->config["secret"]];'
            . self::SHOP . Documentation::php(self::PAGE)[0] . $crmeb . $four . $six . $curl);

        self::assertSame('', $output);
        $messages = $this->shop->messages();
        self::assertCount(4, $messages);
        foreach ($messages as $message) {
            self::assertSent(Shop::order(), $message);
        }
        $page = 'pages/order_details/index?order_id=1';
        self::assertEqualsCanonicalizing([$page, $page, $page, ''], array_map(static function (array $message): string {
            return $message['page'] ?? '';
        }, $messages));
    }

    public function testTheLinesTellOfARefusal(): void
    {
        [$crmeb, , $four, , $six] = Documentation::changed(self::PAGE);
        $output = $this->printedBy(self::SHOP . '$openid = "oNobody";' . $crmeb . $four . $six);

        self::assertSame(3, substr_count($output, 'invalid openid'), $output);
    }

    public function testTheLinesForOfficialAccountsSendTemplateMessages(): void
    {
        $this->shop = new Shop($this->sandbox, ['kind' => 'official']);
        [, $three, , $four] = Documentation::changed(self::PAGE);

        self::assertSame('', $this->printedBy(self::SHOP . $three . $four));
        self::assertCount(2, $this->shop->messages());
    }

    public function testTheLinesForTheQueueQueueAnOrderOnce(): void
    {
        $lines = Documentation::changed(self::PAGE)[6];
        $output = $this->printedBy(self::SHOP . $lines . '$first = $id;' . $lines . '
            echo json_encode([$id === $first, RoutineTemplate::flush(60000)]);');

        self::assertSame('[true,0]', $output);
        self::assertCount(1, $this->shop->messages());
    }

    public function testEasyWeChatThreeGetsTheSharedToken(): void
    {
        $output = $this->printedBy('
            eval("namespace EasyWeChat\\\\Core; class AccessToken {
                protected \\$appId;
                public function __construct(\\$appId, \\$secret, \\$cache = null) { \\$this->appId = \\$appId; }
                public function getToken(\\$forceRefresh = false) { return null; }
                public function getAppId() { return \\$this->appId; }
            }");
            $appid = $shop->appid; $secret = ""; $app = [];
            ' . Documentation::php(self::PAGE)[1] . '
            $token = $app["mini_program.access_token"];
            echo json_encode([$token->getToken() === RoutineTemplate::accessToken(), $token->getToken(true) === RoutineTemplate::accessToken()]);');

        self::assertSame('[true,true]', $output);
    }

    public function testEasyWeChatFourAndFiveGetTheSharedToken(): void
    {
        $output = $this->printedBy('
            eval("namespace Psr\\\\Http\\\\Message; interface UriInterface {}
                interface RequestInterface { public function getUri(); public function withUri(\\$uri, \\$preserveHost = false); }");
            eval("namespace EasyWeChat\\\\Kernel\\\\Contracts; interface AccessTokenInterface {
                public function getToken(): array;
                public function refresh(): self;
                public function applyToRequest(\\\\Psr\\\\Http\\\\Message\\\\RequestInterface \\$request, array \\$requestOptions = []): \\\\Psr\\\\Http\\\\Message\\\\RequestInterface;
            }");
            final class Uri {
                public $query = "type=jsapi";
                public function getQuery() { return $this->query; }
                public function withQuery($query) { $uri = clone $this; $uri->query = $query; return $uri; }
            }
            final class Request implements Psr\Http\Message\RequestInterface {
                public $uri;
                public function __construct() { $this->uri = new Uri(); }
                public function getUri() { return $this->uri; }
                public function withUri($uri, $preserveHost = false) { $request = clone $this; $request->uri = $uri; return $request; }
            }
            $appid = $shop->appid;
            $app = new class { public $bound; public function rebind($id, $value) { $this->bound[$id] = $value; } };
            ' . Documentation::php(self::PAGE)[2] . '
            $token = $app->bound["access_token"];
            parse_str($token->refresh()->applyToRequest(new Request())->getUri()->getQuery(), $query);
            echo json_encode([$token->getToken()["access_token"] === RoutineTemplate::accessToken(),
                $query === ["access_token" => RoutineTemplate::accessToken(), "type" => "jsapi"]]);');

        self::assertSame('[true,true]', $output);
    }

    public function testEasyWeChatSixGetsTheSharedToken(): void
    {
        $output = $this->printedBy('
            eval("namespace EasyWeChat\\\\Kernel\\\\Contracts; interface AccessToken {
                public function getToken(): string;
                public function toQuery(): array;
            }
            interface RefreshableAccessToken extends AccessToken { public function refresh(): string; }");
            $appid = $shop->appid;
            $app = new class { public $token; public function setAccessToken(EasyWeChat\Kernel\Contracts\AccessToken $token) { $this->token = $token; } };
            ' . Documentation::php(self::PAGE)[3] . '
            echo json_encode([$app->token->toQuery() === ["access_token" => RoutineTemplate::accessToken()], $app->token->refresh() === RoutineTemplate::accessToken()]);');

        self::assertSame('[true,true]', $output);
    }

    public function testATokenOfTheApplicationSendsAndIsRenewedByIt(): void
    {
        $output = $this->printedBy('
            $tokens = [str_repeat("x", 100), RoutineTemplate::accessToken()];
            $app = (object) ["access_token" => new class ($tokens) {
                private $tokens;
                public $asked = [];
                public function __construct(array $tokens) { $this->tokens = $tokens; }
                public function getToken(bool $refresh = false): array { $this->asked[] = $refresh; return ["access_token" => $this->tokens[(int) $refresh]]; }
            }];
            $appid = $shop->appid;
            ' . Documentation::php(self::PAGE)[4] . '
            echo json_encode([RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order)["errcode"], $app->access_token->asked]);');

        self::assertSame('[0,[false,true]]', $output);
    }

    private function printedBy(string $code): string
    {
        $result = PhpProcess::run($this->shop->script($code), [], 90.0);
        self::assertSame('', $result->errors, $result->describe());
        return $result->output;
    }
}
