<?php

declare(strict_types=1);

namespace RoutineTemplate\Ffi;

use FFI;
use Throwable;

/** libroutine_template.so：找到、打开、核对版本。 libroutine_template.so: found, opened, checked. */
final class Library
{
    /** 与库约定的接口版本（ROUTINE_TEMPLATE_ABI）。 The interface that the library must have (ROUTINE_TEMPLATE_ABI). */
    private const ABI = 1;

    // routine_template.h 中的声明。 As in routine_template.h.
    private const DECLARATIONS = <<<'C'
        uint32_t routine_template_abi(void);
        const char *routine_template_version(void);
        const uint8_t *routine_template_begin(const char *settings, size_t settings_length, size_t *answer_length);
        const uint8_t *routine_template_call(const char *call, size_t call_length, size_t *answer_length);
        const uint8_t *routine_template_resume(uint64_t call, const char *reply, size_t reply_length, size_t *answer_length);
        C;

    private const INSTALLED = '/usr/local/lib/routine-template/libroutine_template.so';

    /** @var self|null */
    private static $opened;

    /** @var string|null */
    private static $problem;

    /** @var FFI */
    private $ffi;

    /** @var FFI\CData|null 回答长度的位置，空闲时在此 / where the length of an answer goes, while no call uses it */
    private $spare;

    private function __construct(FFI $ffi)
    {
        $this->ffi = $ffi;
    }

    /**
     * 不能使用时说明原因，可以使用时为 null。
     * Why it cannot be used; null if it can.
     */
    public static function problem(): ?string
    {
        if (self::$opened === null && self::$problem === null) {
            self::open();
        }
        return self::$problem;
    }

    /** 打开的库；不能使用时抛出 ConfigException。 The opened library; throws a ConfigException if it cannot be used. */
    public static function get(): self
    {
        if (self::$opened !== null) {
            return self::$opened;
        }
        $problem = self::problem();
        if ($problem !== null) {
            throw Thrown::exception(['class' => 'RoutineTemplate\ConfigException', 'message' => $problem]);
        }
        return self::$opened;
    }

    /** 调用一个方法。 Calls a method. */
    public function call(
        #[\SensitiveParameter]
        string $text
    ): array {
        $length = $this->length();
        return $this->answer($this->ffi->routine_template_call($text, strlen($text), $length), $length);
    }

    /** 回答一次调用提出的问题。 Replies to what a call has asked. */
    public function resume(
        int $call,
        #[\SensitiveParameter]
        string $reply
    ): array {
        $length = $this->length();
        return $this->answer($this->ffi->routine_template_resume($call, $reply, strlen($reply), $length), $length);
    }

    /**
     * 应用的信号处理函数可能在读出回答之前运行并再次调用，所以每次调用用自己的位置，见 routine_template.h。
     * A signal handler of the application may run, and call, before the answer has been read. So each call has a place of its own,
     * see routine_template.h.
     */
    private function length(): FFI\CData
    {
        $length = $this->spare ?? $this->ffi->new('size_t[1]');
        $this->spare = null;
        return $length;
    }

    private function answer(FFI\CData $text, FFI\CData $length): array
    {
        $json = FFI::string($text, $length[0]);
        $this->spare = $length;
        $answer = json_decode($json, true);
        if (isset($answer['released'])) {
            Suppliers::release($answer['released']);
        }
        return $answer ?? ['error' => ['class' => 'RoutineTemplate\Exception', 'message' => 'libroutine_template.so gave no JSON']];
    }

    private static function open(): void
    {
        if (!extension_loaded('FFI')) {
            self::$problem = self::text(
                'PHP 没有 FFI 扩展：安装后在 php.ini 中加入 extension=ffi，并设置 ffi.enable',
                'this PHP has no FFI extension: install it, add extension=ffi to php.ini, and set ffi.enable'
            );
            return;
        }
        $configured = get_cfg_var('routine_template.library');
        $places = is_string($configured) && $configured !== ''
            ? [$configured]
            : [dirname(__DIR__) . '/libroutine_template.so', self::INSTALLED];
        $reasons = [];
        foreach ($places as $place) {
            try {
                $ffi = FFI::cdef(self::DECLARATIONS, $place);
            } catch (Throwable $failure) {
                if (strpos($failure->getMessage(), 'ffi.enable') !== false) {
                    self::$problem = self::text(
                        'php.ini 的 ffi.enable 不允许使用 FFI：设为 true，或保持 preload，把 opcache.preload 指向 preload.php 并打开 opcache.enable',
                        'ffi.enable in php.ini does not allow FFI here: set it to true, or keep preload, point opcache.preload to '
                            . 'preload.php and have opcache.enable on'
                    );
                    return;
                }
                $reasons[] = "$place: " . (self::reason($place) ?? $failure->getMessage());
                continue;
            }
            self::begin($ffi, $place);
            return;
        }
        self::$problem = self::text(
            '无法载入 libroutine_template.so（设置 routine_template.library 可指定位置）：' . implode('; ', $reasons),
            'libroutine_template.so cannot be loaded (setting routine_template.library names another place): ' . implode('; ', $reasons)
        );
    }

    /** 系统给出的原因，例如缺少某个 GLIBC 版本；PHP 8.4 之前不会说明。 The system's own reason, such as a GLIBC that is too old: PHP tells from 8.4 on. */
    private static function reason(string $place): ?string
    {
        $system = FFI::cdef('const char *dlerror(void);');
        try {
            FFI::cdef(self::DECLARATIONS, $place);
        } catch (Throwable $failure) {
            return $system->dlerror();
        }
        return null;
    }

    private static function begin(FFI $ffi, string $place): void
    {
        $found = $ffi->routine_template_abi();
        if ($found !== self::ABI) {
            self::$problem = self::text(
                "{$place} 的接口版本是 {$found}，PHP 文件需要 " . self::ABI . '：请使用同一版本的库和 PHP 文件',
                "$place has interface $found, these PHP files need " . self::ABI . ': use library and PHP files of one version'
            );
            return;
        }
        $library = new self($ffi);
        $settings = Settings::text();
        $length = $library->length();
        $answer = $library->answer($ffi->routine_template_begin($settings, strlen($settings), $length), $length);
        if (isset($answer['error'])) {
            self::$problem = $answer['error']['message'];
            return;
        }
        self::$opened = $library;
    }

    private static function text(string $chinese, string $english): string
    {
        return get_cfg_var('routine_template.hint_lang') === 'en' ? $english : $chinese;
    }
}
