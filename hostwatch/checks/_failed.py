"""What it means when the kernel cannot do what a check asks of it, or a name leads nowhere."""

from __future__ import annotations

import errno
import ssl
from typing import Final

from hostwatch.carrier import OWN_FAULTS
from hostwatch.checks._finding import Fault, Missed
from hostwatch.checks._sentence import chinese

UNREACHABLE: Final = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EPIPE: "the server closed the connection",
    errno.EHOSTUNREACH: "host unreachable",
    errno.EHOSTDOWN: "host unreachable",
    errno.ETIMEDOUT: "no answer",
}
"""What the network or the other side said, by the error that the kernel makes of it."""


OUR_SOCKETS: Final = {
    errno.ENOMEM: "no memory here",
    errno.ENOSPC: "no more sockets can be waited for here (fs.epoll.max_user_watches)",
    errno.EAFNOSUPPORT: "this machine has none of that family of addresses",
    errno.EINVAL: "the kernel does not take this here: an address without its link, perhaps",
    errno.EBADF: "a socket of ours was closed too early",
}
"""What it means when the kernel makes no socket, or cannot wait for one, and the fault is ours."""


def failed(error: OSError) -> Missed | Fault:
    """What a failed call of the kernel means: our own fault, or a word of the other side (J1)."""
    if isinstance(error, ssl.SSLError):  # its number is one of OpenSSL, and none of the kernel
        return Missed("TLS broke: {text}", text=(error.reason or str(error)).lower().replace("_", " "))
    number = error.errno or 0
    if number in UNREACHABLE:
        return Missed(UNREACHABLE[number])
    if number in OWN_FAULTS or number in OUR_SOCKETS:
        return Fault(OWN_FAULTS.get(number) or OUR_SOCKETS[number])
    return Missed("the connection failed: {text}", text=error.strerror or str(error))


chinese(
    """
    connection refused
        连接被拒绝
    connection reset
        连接被对方重置
    the server closed the connection
        服务器关闭了连接
    host unreachable
        主机不可达
    no answer
        没有应答
    no answer within {within}
        {within}内没有应答
    the connection failed: {text}
        连接失败：{text}
    TLS broke: {text}
        TLS 连接出错：{text}
    {text} is not a name of a machine
        {text} 不是有效的主机名
    {text} is this machine itself, and no name to look up
        {text} 指监测机本身，不能作为域名解析
    {name} is an alias of too many others
        域名 {name} 的别名层数过多
    there is no name {name}
        域名 {name} 不存在
    {name} is an alias of {text}, and there is no such name
        域名 {name} 是 {text} 的别名，而后者不存在
    {name} has no IPv4 address
        域名 {name} 没有 IPv4 地址
    {name} has no IPv6 address
        域名 {name} 没有 IPv6 地址
    """
)
