using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.EventTap.Tests.Netlink;

public class ErrorMessageTests
{
    private const string Request = "14 00 00 00 01 01 05 00 07 00 00 00 00 00 00 00"; // nlmsghdr of the request: len 20
    private const string Text = "09 00 01 00  6e 6f 74 21 00 00 00 00"; // NLMSGERR_ATTR_MSG "not!"

    [Fact]
    public void Zero_is_an_acknowledgement() => Assert.Equal(new ErrorMessage(Errno.None, Text: null), Read(0x100, "00 00 00 00", Request));

    [Fact]
    public void Reads_the_errno_without_a_text() =>
        Assert.Equal(new ErrorMessage(Errno.ENOENT, Text: null), Read(0x100, "fe ff ff ff", Request));

    [Fact]
    public void Reads_the_text_behind_a_capped_request() =>
        Assert.Equal(new ErrorMessage(Errno.EINVAL, "not!"), Read(0x300, "ea ff ff ff", Request, Text));

    [Fact]
    public void Reads_the_text_behind_a_whole_request() =>
        Assert.Equal(new ErrorMessage(Errno.EINVAL, "not!"), Read(0x200, "ea ff ff ff", Request, "02 00 00 00", Text));

    [Theory]
    [InlineData("ff ff ff ff 01 01 05 00 07 00 00 00 00 00 00 00")] // nlmsg_len beyond the message
    [InlineData("14 00 00 00")] // cut
    public void A_bad_request_header_leaves_the_errno(string request) =>
        Assert.Equal(new ErrorMessage(Errno.EPERM, Text: null), Read(0x200, "ff ff ff ff", request));

    [Fact]
    public void A_bad_attribute_leaves_the_errno() =>
        Assert.Equal(new ErrorMessage(Errno.EPERM, Text: null), Read(0x300, "ff ff ff ff", Request, "ff 00 01 00"));

    [Fact]
    public void Too_short_for_an_errno_is_refused() => Assert.Null(Read(0x100, "fe ff"));

    private static ErrorMessage? Read(ushort flags, params string[] payload)
    {
        byte[] header = [16, 0, 0, 0, (byte)Nlmsg.NLMSG_ERROR, 0, (byte)flags, (byte)(flags >> 8), 0, 0, 0, 0, 0, 0, 0, 0];
        Assert.True(MessageHeader.TryRead(header, out MessageHeader read));
        return ErrorMessage.TryRead(read, Hex.Parse(string.Concat(payload)), out ErrorMessage error) ? error : null;
    }
}
