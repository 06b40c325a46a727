<?php

/** 异常类，与扩展相同。 The exceptions, as the extension has them. */

declare(strict_types=1);

namespace {
    // PHP 8.0 起自带。 PHP's own since 8.0.
    if (!class_exists('ValueError')) {
        class ValueError extends Error
        {
        }
    }
}

namespace RoutineTemplate {
    /** 本库异常的共同父类。 What all exceptions of this library have in common. */
    class Exception extends \RuntimeException
    {
    }

    /** 设置缺失或有误，getCode() 为微信 errcode 或 0。 A setting is missing or wrong; getCode() is WeChat's errcode or 0. */
    class ConfigException extends Exception
    {
    }

    /** 存储不可用。 The store cannot serve. */
    class StoreException extends Exception
    {
    }

    /** 微信拒绝，或一定会拒绝，getCode() 为 errcode。 WeChat refused, or certainly would; getCode() is the errcode. */
    class RefusedException extends Exception
    {
    }

    /** 没有得到结果。 There was no usable answer. */
    class TransportException extends Exception
    {
        /** @var bool */
        protected $ambiguous = false;

        /** 请求是否可能已到达微信。 Whether the request may have reached WeChat. */
        public function isAmbiguous(): bool
        {
            return $this->ambiguous === true;
        }
    }
}
