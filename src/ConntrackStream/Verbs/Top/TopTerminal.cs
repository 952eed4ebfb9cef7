using System.Runtime.InteropServices;
using System.Text;
using System.Threading.Channels;
using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Verbs.Top;

/// <summary>
/// The terminal while the screen is shown: its alternate buffer, its keys, its size. Given back at the end and while the program is stopped
/// (Ctrl-Z), as it was.
/// </summary>
internal sealed class TopTerminal : IDisposable
{
    private const string Enter = "\e[?1049h\e[?25l"; // alternate buffer, no cursor (xterm)
    private const string Leave = "\e[?25h\e[?1049l";

    private readonly CliContext _context;
    private readonly ChannelWriter<TopMessage> _messages;
    private readonly PosixSignalRegistration[] _signals;

    /// <param name="context">Whose output it is.</param>
    /// <param name="messages">Gets keys and changes of the size.</param>
    internal TopTerminal(CliContext context, ChannelWriter<TopMessage> messages)
    {
        (_context, _messages) = (context, messages);
        _signals =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => messages.TryWrite(new Redraw())),
            PosixSignalRegistration.Create(PosixSignal.SIGTSTP, _ => Write(Leave)),
            PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ =>
            {
                Write(Enter);
                messages.TryWrite(new Redraw());
            }),
        ];
        Write(Enter);
        Thread keys = new(ReadKeys) { IsBackground = true, Name = "keys" };
        keys.UnsafeStart();
    }

    internal static int Width => Math.Max(1, Console.WindowWidth);

    internal static int Height => Math.Max(1, Console.WindowHeight);

    internal void Write(string text) => _context.Output.Write(Encoding.UTF8.GetBytes(text));

    public void Dispose()
    {
        Array.ForEach(_signals, static signal => signal.Dispose());
        Write(Leave);
    }

    private void ReadKeys()
    {
        try
        {
            while (true)
                _messages.TryWrite(new KeyPressed(Console.ReadKey(intercept: true)));
        }
        catch (Exception e) when (e is InvalidOperationException or IOException)
        {
            _messages.TryComplete(); // the terminal is gone
        }
    }
}
