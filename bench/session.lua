-- One session request, as a front end with a visitor's cookie sends it. The
-- cookie is signed by the key in compare.Caddyfile, for 127.0.0.1.
wrk.method = "POST"
wrk.body = '{"model":"custom-v1"}'
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Cookie"] = "chatkit_session_id=7f9c24e8-3b12-4fef-91e0-56a2d5a3c1b0.G0xRU1rbcmJqobcFDhcbkWmmC6MGBPhX65XmA9xQKbY"
