# PHP 8.4：原生扩展。先运行 ./build.sh package，然后：
# PHP 8.4, the native extension. After ./build.sh package:
#
#   docker build -f packaging/docker/php8.4-fpm.Dockerfile --build-arg VERSION=0.1.0 build/packages
#
# Alpine 的镜像（php:8.4-fpm-alpine）用 musl，不能用这个包。Alpine's image (php:8.4-fpm-alpine) has musl: this package is not for it.
FROM php:8.4-fpm

ARG VERSION

ADD routine-template-${VERSION}-php8.4-linux-x86_64.tar.gz /tmp/
RUN "/tmp/routine-template-${VERSION}-php8.4-linux-x86_64/install.sh" --php /usr/local/bin/php --web-user www-data \
    && rm -rf "/tmp/routine-template-${VERSION}-php8.4-linux-x86_64"

# 队列、授权和凭证都在这里：换容器时要保留。The queue, the grants and the token live here: they must outlive the container.
VOLUME /var/lib/routine-template
