using ConntrackStream.EventTap.Conntrack;

namespace ConntrackStream.Service.Conntrack.Syntax;

internal sealed partial class CommandParser
{
    /// <summary>A command's kinds by table; null: not on expectations.</summary>
    private static (CommandKind Conntrack, CommandKind? Expect) KindsOf(char command) => command switch
    {
        'L' => (CommandKind.List, CommandKind.ExpectList),
        'I' => (CommandKind.Create, CommandKind.ExpectCreate),
        'D' => (CommandKind.Delete, CommandKind.ExpectDelete),
        'G' => (CommandKind.Get, CommandKind.ExpectGet),
        'F' => (CommandKind.Flush, CommandKind.ExpectFlush),
        'E' => (CommandKind.Event, CommandKind.ExpectEvent),
        'V' => (CommandKind.Version, CommandKind.Version),
        'h' => (CommandKind.Help, CommandKind.Help),
        'C' => (CommandKind.Count, CommandKind.ExpectCount),
        'S' => (CommandKind.Stats, CommandKind.ExpectStats),
        'U' => (CommandKind.Update, null),
        _ => (CommandKind.Add, null),
    };

    private void TakeCommand(char letter)
    {
        (EntryList list, bool isExpect) = TakeTable();
        if (letter != 'L' && list != EntryList.Conntrack)
            throw ConntrackFault.Usage("Can't do that command with tables `dying' and `unconfirmed'");
        (CommandKind conntrack, CommandKind? expect) = KindsOf(letter);
        CommandKind command = !isExpect ? conntrack
            : expect ?? throw ConntrackFault.Usage($"Can't do --{LongOption.NameOf(letter)} on expectations");
        if (_command != CommandKind.None)
            throw ConntrackFault.Usage("Invalid commands combination");
        _command = command;
        _list = list;
    }

    /// <summary>The word behind a command, which may be shortened to its first letter.</summary>
    private (EntryList List, bool IsExpect) TakeTable()
    {
        if (_reader.TakeOperand() is not { } table)
            return (EntryList.Conntrack, false);
        return "expect".StartsWith(table, StringComparison.Ordinal) ? (EntryList.Conntrack, true)
            : "conntrack".StartsWith(table, StringComparison.Ordinal) ? (EntryList.Conntrack, false)
            : "dying".StartsWith(table, StringComparison.Ordinal) ? (EntryList.Dying, false)
            : "unconfirmed".StartsWith(table, StringComparison.Ordinal) ? (EntryList.Unconfirmed, false)
            : throw ConntrackFault.Usage($"unknown type `{table}'");
    }
}
