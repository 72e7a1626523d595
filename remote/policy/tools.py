"""The names of the agent's tools, as its releases 0.18.2 and 0.19.0 register them."""

KNOWN = frozenset(
    """
    browser_back browser_cdp browser_click browser_console browser_dialog browser_get_images
    browser_navigate browser_press browser_scroll browser_snapshot browser_type browser_vision
    clarify close_terminal computer_use cronjob delegate_task discord discord_admin execute_code
    feishu_doc_read feishu_drive_add_comment feishu_drive_list_comment_replies
    feishu_drive_list_comments feishu_drive_reply_comment ha_call_service ha_get_state
    ha_list_entities ha_list_services image_generate kanban_attach kanban_attach_url
    kanban_attachments kanban_block kanban_comment kanban_complete kanban_create kanban_heartbeat
    kanban_link kanban_list kanban_show kanban_unblock memory patch process project_create
    project_list project_switch read_file read_terminal search_files send_message session_search
    skill_manage skill_view skills_list spotify_albums spotify_devices spotify_library
    spotify_playback spotify_playlists spotify_queue spotify_search terminal text_to_speech todo
    tool_call tool_describe tool_search video_analyze video_generate vision_analyze web_extract
    web_search write_file x_search xai_video_edit xai_video_extend yb_query_group_info
    yb_query_group_members yb_search_sticker yb_send_dm yb_send_sticker
    """.split()
)
# Tools of MCP servers: `mcp__SERVER__TOOL`.
MCP = "mcp__"

# Tools that run code, drive a screen or plan later runs, which no allow rule can read.
UNREADABLE = frozenset(
    """
    browser_cdp browser_console computer_use cronjob execute_code process skill_manage
    """.split()
)


def known(name: str) -> bool:
    return name in KNOWN or name.startswith(MCP) and len(name) > len(MCP)
