using System.Text;
using ConntrackStream.Service.Api;

namespace ConntrackStream.Service.Tests.Api;

public sealed class AnswerBytesTests
{
    [Theory]
    [InlineData("{\"a\":1}\n[1]\tb\n", "{\"a\":1}\n[1]\tb\n")]
    [InlineData("größe 漢字 😀 \u00a0", "größe 漢字 😀 \u00a0")]
    [InlineData("a\e[2Kok\r\0\u007f", "a?[2Kok???")]
    public void Control_characters_become_question_marks(string sent, string shown)
    {
        byte[] whole = Encoding.UTF8.GetBytes(sent), bytewise = Encoding.UTF8.GetBytes(sent);
        new AnswerBytes().Clean(whole);
        AnswerBytes answer = default;
        for (int at = 0; at < bytewise.Length; at++)
            answer.Clean(bytewise.AsSpan(at, 1));
        Assert.Equal((shown, shown), (Encoding.UTF8.GetString(whole), Encoding.UTF8.GetString(bytewise)));
    }

    [Fact]
    public void The_upper_control_characters_do_not_pass_between_two_pieces()
    {
        byte[] sent = Encoding.UTF8.GetBytes("\u009b2J");
        AnswerBytes answer = default;
        answer.Clean(sent.AsSpan(0, 1));
        answer.Clean(sent.AsSpan(1));
        Assert.DoesNotContain('\u009b', Encoding.UTF8.GetString(sent));
    }
}
