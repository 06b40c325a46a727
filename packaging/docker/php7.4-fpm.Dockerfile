# PHP 7.4（CRMEB 5.6 及更早的版本）：通过 FFI 使用。先运行 ./build.sh package，然后：
# PHP 7.4 (CRMEB 5.6 and older), through FFI. After ./build.sh package:
#
#   docker build -f packaging/docker/php7.4-fpm.Dockerfile --build-arg VERSION=0.1.0 build/packages
#
# php:7.4-fpm 基于 Debian 11，PHP 7.4 与 Debian 11 都已停止维护；Debian 11 移入归档后，须先把 apt 源改为 Debian 的归档站。
# php:7.4-fpm is a Debian 11; neither is maintained any more. Once Debian 11 is in Debian's archive only, point apt to the archive first.
FROM php:7.4-fpm

ARG VERSION

# 官方镜像不含 FFI。The official image has no FFI.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libffi-dev \
    && docker-php-ext-install ffi \
    && rm -rf /var/lib/apt/lists/*

ADD routine-template-${VERSION}-ffi-linux-x86_64.tar.gz /tmp/
RUN "/tmp/routine-template-${VERSION}-ffi-linux-x86_64/install.sh" --php /usr/local/bin/php --web-user www-data \
    && rm -rf "/tmp/routine-template-${VERSION}-ffi-linux-x86_64"

# 队列、授权和凭证都在这里：换容器时要保留。The queue, the grants and the token live here: they must outlive the container.
VOLUME /var/lib/routine-template
