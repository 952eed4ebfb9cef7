using ConntrackStream.Sinks.Otlp.Transport;
using CsCheck;

namespace ConntrackStream.Sinks.Tests.Otlp;

/// <summary>What collectors answer comes from outside.</summary>
public sealed class AnswersTests
{
    [Theory]
    [InlineData("0A0708051203626164", 5, "bad")]
    [InlineData("1A01000A0708051203626164", 5, "bad")] // an unknown field first
    [InlineData("0A0C08FBFFFFFFFFFFFFFFFF01", 0, null)] // less than none is nonsense
    [InlineData("0A0708051203", 0, null)] // cut off
    [InlineData("FFFFFFFFFFFFFFFFFFFFFF", 0, null)]
    [InlineData("", 0, null)]
    public void A_partial_success_says_how_much_was_rejected(string message, long rejected, string? text) =>
        Assert.Equal((rejected, text), Answers.PartialSuccess(Convert.FromHexString(message)));

    [Theory]
    [InlineData("0A0408AC0210", null)] // cut off
    [InlineData("0A0308AC02", 300.0)]
    [InlineData("0A0C08FBFFFFFFFFFFFFFFFF01", null)] // before now
    [InlineData("0A0A08FFFFFFFFFFFFFFFF7F", null)] // in 292 billion years
    public void A_retry_delay_is_a_length_of_time(string retryInfo, double? seconds)
    {
        byte[] info = Convert.FromHexString(retryInfo);
        byte[] any = [0x0A, 22, .. "/x/google.rpc.RetryInf"u8, 0x12, (byte)info.Length, .. info];
        Assert.Null(Answers.Failure([0x1A, (byte)any.Length, .. any]).After); // of another type
        any = [0x0A, 23, .. "/xx/google.rpc.RetryInfo"u8[1..], 0x12, (byte)info.Length, .. info];
        Assert.Equal(seconds, Answers.Failure([0x1A, (byte)any.Length, .. any]).After?.TotalSeconds);
    }

    [Fact]
    public void Nothing_that_comes_makes_it_fail() => Gen.Byte.Array[0, 40].Check(20_000, static bytes =>
    {
        Answers.PartialSuccess(bytes);
        Answers.Failure(bytes);
        byte[] nested = [0x1A, (byte)bytes.Length, .. bytes];
        Answers.Failure(nested);
        nested[0] = 0x0A;
        Assert.True(Answers.PartialSuccess(nested).Rejected >= 0);
    });
}
